#include "control/view/node_block.hpp"

#include <algorithm>

namespace orch::control::view {
namespace {

bool same_shape(const PoolBlock& left, const PoolBlock& right) {
    return left.key == right.key && left.served_name == right.served_name &&
           left.models == right.models && left.kind == right.kind && left.cell == right.cell;
}

const std::string* find_label(const Labels& labels, const std::string& name) {
    const auto found = labels.find(name);
    return found == labels.end() ? nullptr : &found->second;
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

std::string_view label_of(const NodeBlock& node, const PoolBlock& pool, const std::string& name) {
    if (const std::string* const own = find_label(pool.labels, name)) {
        return *own;
    }
    if (const std::string* const of_node = find_label(node.labels, name)) {
        return *of_node;
    }
    if (name == "node_id") {
        return node.id.str();
    }
    return name == "machine_id" ? std::string_view(node.machine_id.str()) : "";
}

}  // namespace orch::control::view
