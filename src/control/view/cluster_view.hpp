#pragma once

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/enums.hpp"
#include "base/load_cell.hpp"
#include "base/strong_id.hpp"
#include "control/view/model_index.hpp"
#include "control/view/node_block.hpp"
#include "control/view/pool_lists.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace orch::control::view {

// An immutable picture of the cluster. Built by the control thread, handed to every edge by
// shared_ptr; any thread may read one. Only the load cells inside move.
class ClusterView {
public:
    ClusterView() = default;  // an empty cluster that is warming up for ever

    // `nodes` in order of id. `index` must have been built from nodes of the same shape (ids,
    // pools, models, kinds): a change of figures alone keeps it, so publishing stays cheap.
    ClusterView(
        std::uint64_t version,
        std::vector<NodeBlockPtr> nodes,
        std::shared_ptr<const ModelIndex> index,
        Instant warm_up_until
    );

    // The picture that follows `before`, of the same index: only the nodes at the places `changed`
    // are other blocks.
    ClusterView(
        const ClusterView& before,
        std::vector<NodeBlockPtr> nodes,
        std::span<const std::uint32_t> changed,
        Instant warm_up_until
    );

    std::uint64_t version() const { return version_; }

    std::span<const NodeBlockPtr> nodes() const { return nodes_; }

    // Pools that list the name as served name or alias, on nodes in any state; empty when no node
    // that is known lists it.
    std::span<const PoolRef> find_model(std::string_view name) const;

    // All pools of a kind, on nodes in any state: where a request without a model may go.
    std::span<const PoolRef> pools_of(ModelKind kind) const;

    // The same pools in the same order, with the figures that every decision needs.
    std::span<const ListedPool> list_model(std::string_view name) const;
    std::span<const ListedPool> list_kind(ModelKind kind) const;

    // Views of one shape have the same pools in the same order.
    const std::shared_ptr<const ModelIndex>& shape() const { return index_; }

    const NodeBlock& node(PoolRef ref) const { return *nodes_[ref.node]; }

    const PoolBlock& pool(PoolRef ref) const { return nodes_[ref.node]->pools[ref.pool]; }

    // nullptr when unknown. Logarithmic in the number of nodes.
    const NodeBlock* find_node(const NodeId& id) const;
    const PoolBlock* find_pool(const PoolKey& key) const;

    // Which queue a request for `model` waits in: the served name behind an alias, the text itself
    // when it is ambiguous or unknown, "" without a model. Points into the view or at `model`.
    std::string_view queue_name(std::string_view model) const;

    // For a while after a start, what nobody lists may only not have reported yet.
    bool warming_up(Instant now) const { return now < warm_up_until_; }

    std::size_t nodes_online() const;
    std::size_t pools_ready() const;  // ready pools of nodes that take work

private:
    std::uint64_t version_ = 0;
    std::vector<NodeBlockPtr> nodes_;
    std::shared_ptr<const ModelIndex> index_ = std::make_shared<ModelIndex>();
    PoolLists lists_{*index_, nodes_};
    Instant warm_up_until_ = Instant::max();
};

using ClusterViewPtr = std::shared_ptr<const ClusterView>;

}  // namespace orch::control::view
