#include "control/view/cluster_view.hpp"

#include <algorithm>
#include <utility>

namespace orch::control::view {

ClusterView::ClusterView(
    std::uint64_t version,
    std::vector<NodeBlockPtr> nodes,
    std::shared_ptr<const ModelIndex> index,
    Instant warm_up_until
)
    : version_(version),
      nodes_(std::move(nodes)),
      index_(std::move(index)),
      lists_(*index_, nodes_),
      warm_up_until_(warm_up_until) {}

ClusterView::ClusterView(
    const ClusterView& before,
    std::vector<NodeBlockPtr> nodes,
    std::span<const std::uint32_t> changed,
    Instant warm_up_until
)
    : version_(before.version_ + 1),
      nodes_(std::move(nodes)),
      index_(before.index_),
      lists_(before.lists_, *index_, nodes_, changed),
      warm_up_until_(warm_up_until) {}

std::span<const PoolRef> ClusterView::find_model(std::string_view name) const {
    const auto list = index_->find(name);
    return list ? index_->pools(*list) : std::span<const PoolRef>{};
}

std::span<const PoolRef> ClusterView::pools_of(ModelKind kind) const {
    return index_->pools(index_->of_kind(kind));
}

std::span<const ListedPool> ClusterView::list_model(std::string_view name) const {
    const auto list = index_->find(name);
    return list ? lists_.of(*list) : std::span<const ListedPool>{};
}

std::span<const ListedPool> ClusterView::list_kind(ModelKind kind) const {
    return lists_.of(index_->of_kind(kind));
}

const NodeBlock* ClusterView::find_node(const NodeId& id) const {
    const auto id_of = [](const NodeBlockPtr& node) -> const NodeId& { return node->id; };
    const auto found = std::ranges::lower_bound(nodes_, id, {}, id_of);
    return found == nodes_.end() || (*found)->id != id ? nullptr : found->get();
}

const PoolBlock* ClusterView::find_pool(const PoolKey& key) const {
    const NodeBlock* const node = find_node(key.node);
    if (node == nullptr) {
        return nullptr;
    }
    const auto found = std::ranges::find(node->pools, key, &PoolBlock::key);
    return found == node->pools.end() ? nullptr : &*found;
}

std::string_view ClusterView::queue_name(std::string_view model) const {
    const auto refs = find_model(model);
    if (refs.empty()) {
        return model;
    }
    const std::string& first = pool(refs.front()).served_name;
    const bool unambiguous =
        std::ranges::all_of(refs, [&](PoolRef ref) { return pool(ref).served_name == first; });
    return unambiguous && !first.empty() ? std::string_view(first) : model;
}

std::size_t ClusterView::nodes_online() const {
    const auto count =
        std::ranges::count_if(nodes_, [](const NodeBlockPtr& node) { return node->online; });
    return static_cast<std::size_t>(count);
}

std::size_t ClusterView::pools_ready() const {
    std::size_t ready = 0;
    for (const NodeBlockPtr& node : nodes_) {
        const auto count = std::ranges::count_if(node->pools, [](const PoolBlock& pool) {
            return pool.ready && !pool.draining;
        });
        ready += node->takes_work() ? static_cast<std::size_t>(count) : 0;
    }
    return ready;
}

}  // namespace orch::control::view
