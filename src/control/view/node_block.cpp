#include "control/view/node_block.hpp"

#include <algorithm>

namespace orch::control::view {
namespace {

bool same_shape(const PoolBlock& left, const PoolBlock& right) {
    return left.key == right.key && left.served_name == right.served_name &&
           left.models == right.models && left.kind == right.kind;
}

}  // namespace

bool PoolBlock::lists(std::string_view model) const {
    return std::ranges::find(models, model) != models.end();
}

std::uint32_t PoolBlock::busy() const {
    const std::uint32_t capacity = std::min(cell->capacity(), slots_total);
    return cell->claimed() + (slots_total - capacity);
}

bool NodeBlock::same_shape(const NodeBlock& other) const {
    return id == other.id &&
           std::ranges::equal(pools, other.pools, [](const PoolBlock& a, const PoolBlock& b) {
               return view::same_shape(a, b);
           });
}

}  // namespace orch::control::view
