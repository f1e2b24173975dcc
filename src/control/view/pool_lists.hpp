#pragma once

#include "base/bytes.hpp"
#include "base/load_cell.hpp"
#include "control/view/model_index.hpp"
#include "control/view/node_block.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace orch::control::view {

// What every decision asks of a pool. Of thousands of pools these lie side by side, where a node's
// block, its pool's block and what they own are four places in memory for each.
struct ListedPool {
    const LoadCell* cell = nullptr;  // lives as long as the pool's block
    Bytes free_gib = 0;              // free VRAM in whole GiB
    std::uint32_t slots_total = 0;
    std::uint32_t ordinal = 0;  // ModelIndex::ordinal()
    bool open = false;          // its node takes work, it is ready and not draining

    friend bool operator==(const ListedPool&, const ListedPool&) = default;
};

// Each list of a ModelIndex with its pools' figures, in the same order. Lists in which nothing has
// changed are shared with the view before. Immutable once built; any thread.
class PoolLists {
public:
    PoolLists() = default;
    PoolLists(const ModelIndex& index, std::span<const NodeBlockPtr> nodes);

    // As `before`, but for the nodes at these places. Requires: the same index.
    PoolLists(
        const PoolLists& before,
        const ModelIndex& index,
        std::span<const NodeBlockPtr> nodes,
        std::span<const std::uint32_t> changed
    );

    std::span<const ListedPool> of(std::size_t list) const { return *lists_[list]; }

private:
    using List = std::vector<ListedPool>;

    std::vector<std::shared_ptr<const List>> lists_;
};

}  // namespace orch::control::view
