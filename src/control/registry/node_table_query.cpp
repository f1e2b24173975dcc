#include "control/registry/node_table.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

namespace orch::control::registry {

Instant NodeTable::warm_up_until() const {
    if (!config_.home) {
        return warm_up_until_;
    }
    return reported_ ? Instant::min() : Instant::max();
}

view::ClusterViewPtr NodeTable::view() {
    if (view_ != nullptr && urgency_ == Urgency::none) {
        return view_;
    }
    Blocks blocks = build_blocks();
    urgency_ = Urgency::none;
    if (std::exchange(reshaped_, false)) {
        auto shape = std::make_shared<const view::ModelIndex>(blocks.all);
        const std::uint64_t version = view_ == nullptr ? 1 : view_->version() + 1;
        view_ = std::make_shared<const view::ClusterView>(
            version, std::move(blocks.all), std::move(shape), warm_up_until()
        );
    } else {
        view_ = std::make_shared<const view::ClusterView>(
            *view_, std::move(blocks.all), blocks.changed, warm_up_until()
        );
    }
    return view_;
}

// The last view's blocks but for those of the nodes that changed. False when these are not the same
// nodes in the same shape.
bool NodeTable::replace_blocks(Blocks& blocks) {
    if (view_ == nullptr || reshaped_) {
        return false;
    }
    blocks.all.assign(view_->nodes().begin(), view_->nodes().end());
    const auto id_of = [](const view::NodeBlockPtr& block) -> const NodeId& { return block->id; };
    for (const NodeId& id : changed_) {
        const auto place = std::ranges::lower_bound(blocks.all, id, {}, id_of);
        if (place == blocks.all.end() || (*place)->id != id) {
            return false;
        }
        NodeRecord& node = nodes_.at(id);
        node.block = make_block(node);
        if (!node.block->same_shape(**place)) {
            return false;
        }
        *place = node.block;
        blocks.changed.push_back(static_cast<std::uint32_t>(place - blocks.all.begin()));
    }
    return true;
}

NodeTable::Blocks NodeTable::build_blocks() {
    Blocks blocks;
    if (!replace_blocks(blocks)) {
        reshaped_ = true;
        blocks = {};
        blocks.all.reserve(nodes_.size());
        for (auto& [id, node] : nodes_) {
            if (node.block == nullptr) {
                node.block = make_block(node);
            }
            blocks.all.push_back(node.block);
        }
    }
    changed_.clear();
    return blocks;
}

std::vector<api::NodeInfo> NodeTable::list(Instant now) const {
    std::vector<api::NodeInfo> infos;
    infos.reserve(nodes_.size());
    for (const auto& [id, node] : nodes_) {
        infos.push_back(make_info(node, now));
    }
    return infos;
}

Result<api::NodeInfo> NodeTable::get(const NodeId& node, Instant now) const {
    const auto known = nodes_.find(node);
    if (known == nodes_.end()) {
        return fail(Errc::not_found, fmt::format("the node '{}' is unknown", node.str()));
    }
    return make_info(known->second, now);
}

std::vector<api::PoolInfo> NodeTable::list_pools() const {
    std::vector<api::PoolInfo> infos;
    for (const auto& [id, node] : nodes_) {
        for (const auto& [pool_id, pool] : node.pools) {
            infos.push_back(make_info(id, pool));
        }
    }
    return infos;
}

Result<api::PoolInfo> NodeTable::get_pool(const PoolKey& key) const {
    const auto node = nodes_.find(key.node);
    if (node == nodes_.end()) {
        return fail(Errc::not_found, fmt::format("the node '{}' is unknown", key.node.str()));
    }
    const auto pool = node->second.pools.find(key.pool);
    if (pool == node->second.pools.end()) {
        return fail(
            Errc::not_found,
            fmt::format("the node '{}' has no pool '{}'", key.node.str(), key.pool.str())
        );
    }
    return make_info(key.node, pool->second);
}

std::vector<NodeId> NodeTable::nodes_with_pool(const PoolId& pool) const {
    std::vector<NodeId> found;
    for (const auto& [id, node] : nodes_) {
        if (node.pools.contains(pool)) {
            found.push_back(id);
        }
    }
    return found;
}

std::optional<PollTarget> NodeTable::find_poll_target(const NodeId& node) const {
    const auto known = nodes_.find(node);
    if (known == nodes_.end()) {
        return std::nullopt;
    }
    return PollTarget{known->second.endpoint, known->second.is_static};
}

std::optional<NodeStatus> NodeTable::find_status(const NodeId& node) const {
    const auto known = nodes_.find(node);
    return known == nodes_.end() ? std::nullopt : std::optional(known->second.status);
}

std::vector<PoolId> NodeTable::pools_of(const NodeId& node) const {
    std::vector<PoolId> ids;
    if (const auto known = nodes_.find(node); known != nodes_.end()) {
        for (const auto& [id, pool] : known->second.pools) {
            ids.push_back(id);
        }
    }
    return ids;
}

Result<PoolKey> NodeTable::find_pool(const PoolId& pool) const {
    const std::vector<NodeId> found = nodes_with_pool(pool);
    if (found.empty()) {
        return fail(Errc::not_found, fmt::format("no node has a pool '{}'", pool.str()));
    }
    if (found.size() == 1) {
        return PoolKey{found.front(), pool};
    }
    std::vector<std::string> names;
    for (const NodeId& node : found) {
        names.push_back(node.str());
    }
    return fail(
        Errc::ambiguous_pool,
        fmt::format(
            "the pool id '{}' exists on the nodes {}: use /v2/nodes/NODE/pools/{}",
            pool.str(),
            fmt::join(names, ", "),
            pool.str()
        )
    );
}

}  // namespace orch::control::registry
