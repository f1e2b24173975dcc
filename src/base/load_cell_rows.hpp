#pragma once

#include "base/load_cell.hpp"

#include <array>
#include <cstddef>
#include <memory>

namespace orch {

// Makes load cells that lie side by side: whoever looks at thousands of them waits for memory less
// than half as long as when each lies where the heap had room. A row is freed with the last of its
// cells. One thread; the cells themselves are anybody's.
class LoadCellRows {
public:
    // A cell of no capacity that nobody waits for.
    std::shared_ptr<LoadCell> make();

private:
    static constexpr std::size_t kPerRow = 64;

    using Row = std::array<LoadCell, kPerRow>;

    std::shared_ptr<Row> row_;
    std::size_t used_ = kPerRow;
};

}  // namespace orch
