#include "base/load_cell_rows.hpp"

namespace orch {

std::shared_ptr<LoadCell> LoadCellRows::make() {
    if (used_ == kPerRow) {
        row_ = std::make_shared<Row>();
        used_ = 0;
    }
    return {row_, &(*row_)[used_++]};
}

}  // namespace orch
