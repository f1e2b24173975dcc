#pragma once

#include "control/placement/placement_policy.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

// Small clusters, made by hand, and what placement says about them.
namespace orch::control::placement {

using view::ClusterView;
using view::NodeBlock;
using view::PoolBlock;

inline constexpr Instant kNow{std::chrono::hours(1)};

inline PoolKey key(const std::string& node, const std::string& pool) {
    return {NodeId(node), PoolId(pool)};
}

inline PoolBlock pool(const PoolKey& id, std::string model, std::uint32_t claimed = 0) {
    PoolBlock block;
    block.key = id;
    block.served_name = model;
    block.models = {std::move(model)};
    block.ready = true;
    block.slots_total = 4;
    block.vram_free = 10 * kGiB;
    block.cell = std::make_shared<LoadCell>(4U);
    for (std::uint32_t i = 0; i < claimed; ++i) {
        EXPECT_TRUE(block.cell->try_claim());
    }
    return block;
}

// As it is before its model was ever asked for.
inline PoolBlock at_rest(const PoolKey& id, Bytes vram_need, std::string model = "m") {
    PoolBlock block = pool(id, std::move(model));
    block.ready = false;
    block.slots_total = 0;
    block.loadable = true;
    block.vram_need = vram_need;
    return block;
}

// One node per pool, named as in the pool's key.
class Cluster {
public:
    NodeBlock& add(PoolBlock block) {
        if (nodes_.empty() || nodes_.back().id != block.key.node) {
            NodeBlock node;
            node.id = block.key.node;
            node.status = NodeStatus::online;
            node.online = true;
            node.reachable = true;
            nodes_.push_back(node);
        }
        nodes_.back().pools.push_back(std::move(block));
        return nodes_.back();
    }

    ClusterView view(Instant warm_up_until = Instant{}) const {
        std::vector<view::NodeBlockPtr> blocks;
        for (const NodeBlock& node : nodes_) {
            blocks.push_back(std::make_shared<const NodeBlock>(node));
        }
        auto index = std::make_shared<const view::ModelIndex>(blocks);
        return ClusterView(1, std::move(blocks), std::move(index), warm_up_until);
    }

private:
    std::vector<NodeBlock> nodes_;
};

inline PlacementRequest asking(std::string model) {
    PlacementRequest request;
    request.model = std::move(model);
    return request;
}

inline Decision decide_in(
    const ClusterView& view,
    const PlacementRequest& request,
    const ChoiceLedger& ledger = ChoiceLedger(),
    const PlacementPolicy& policy = {}
) {
    return decide(view, request, policy, ledger, kNow, Explain::yes);
}

// "node/pool" of the ranking; the decision's pointers need the view, so it is read at once.
inline std::vector<std::string> ranking(
    const Cluster& cluster,
    const PlacementRequest& request,
    const ChoiceLedger& ledger = ChoiceLedger(),
    const PlacementPolicy& policy = {}
) {
    const ClusterView view = cluster.view();
    std::vector<std::string> names;
    for (const Candidate& each : decide_in(view, request, ledger, policy).ranked) {
        names.push_back(each.pool->key.node.str() + "/" + each.pool->key.pool.str());
    }
    return names;
}

using Names = std::vector<std::string>;

inline Errc rejection(
    const Cluster& cluster, const PlacementRequest& request, Instant warm = Instant{}
) {
    const ClusterView view = cluster.view(warm);
    const Decision decision = decide_in(view, request);
    EXPECT_TRUE(decision.ranked.empty());
    EXPECT_TRUE(decision.rejection);
    return decision.rejection ? decision.rejection->code : Errc::internal;
}

}  // namespace orch::control::placement
