#pragma once

#include "control/view/cluster_view.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

// Small clusters, made by hand, for the tests of whoever reads a view.
namespace orch::control::gateway {

inline PoolKey key_of(std::string node, std::string pool = "p") {
    return {NodeId(std::move(node)), PoolId(std::move(pool))};
}

// A ready chat pool.
inline view::PoolBlock pool_block(
    PoolKey key, std::vector<std::string> models, std::shared_ptr<LoadCell> cell
) {
    view::PoolBlock pool;
    pool.key = std::move(key);
    pool.served_name = models.empty() ? "" : models.front();
    pool.models = std::move(models);
    pool.ready = true;
    pool.slots_total = cell->capacity();
    pool.cell = std::move(cell);
    return pool;
}

// A node that takes work.
inline view::NodeBlock node_block(std::string id, std::vector<view::PoolBlock> pools) {
    view::NodeBlock node;
    node.id = NodeId(std::move(id));
    node.endpoint = {false, "127.0.0.1", 9200};
    node.status = NodeStatus::online;
    node.online = true;
    node.reachable = true;
    node.pools = std::move(pools);
    return node;
}

// Nodes in order of id; the warm-up is over.
inline view::ClusterViewPtr view_of(std::vector<view::NodeBlock> blocks) {
    std::vector<view::NodeBlockPtr> nodes;
    nodes.reserve(blocks.size());
    for (view::NodeBlock& block : blocks) {
        nodes.push_back(std::make_shared<const view::NodeBlock>(std::move(block)));
    }
    auto index = std::make_shared<const view::ModelIndex>(nodes);
    return std::make_shared<view::ClusterView>(1, std::move(nodes), std::move(index), Instant{});
}

}  // namespace orch::control::gateway
