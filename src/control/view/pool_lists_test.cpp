#include "control/view/pool_lists.hpp"

#include "base/rng.hpp"
#include "control/view/cluster_view.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace orch::control::view {
namespace {

using Nodes = std::vector<NodeBlockPtr>;

NodeBlock node_with(const std::string& id, std::vector<std::string> models) {
    NodeBlock node;
    node.id = NodeId(id);
    node.status = NodeStatus::online;
    node.reachable = true;
    for (std::string& model : models) {
        PoolBlock pool;
        pool.key = {node.id, PoolId("p" + std::to_string(node.pools.size()))};
        pool.served_name = model;
        pool.models = {std::move(model)};
        pool.ready = true;
        pool.slots_total = 4;
        pool.vram_free = 3 * kGiB + 7;
        pool.cell = std::make_shared<LoadCell>(4U);
        node.pools.push_back(std::move(pool));
    }
    return node;
}

NodeBlockPtr shared(NodeBlock node) {
    return std::make_shared<const NodeBlock>(std::move(node));
}

std::vector<ListedPool> copy_of(std::span<const ListedPool> list) {
    return {list.begin(), list.end()};
}

TEST(PoolLists, HoldWhatADecisionAsksOfEachPool) {
    NodeBlock away = node_with("b", {"qwen"});
    away.reachable = false;
    const Nodes nodes{shared(node_with("a", {"llama", "qwen"})), shared(away)};
    const ModelIndex index(nodes);
    const PoolLists lists(index, nodes);
    const auto qwen = lists.of(*index.find("qwen"));
    ASSERT_EQ(qwen.size(), 2U);
    const ListedPool expected{nodes[0]->pools[1].cell.get(), 3, 4, 1, true};
    EXPECT_EQ(qwen[0], expected);
    EXPECT_EQ(qwen[1].ordinal, 2U);
    EXPECT_FALSE(qwen[1].open);
    EXPECT_EQ(lists.of(index.of_kind(ModelKind::chat)).size(), 3U);
}

TEST(PoolLists, AreOpenOnlyWhereWorkMayGo) {
    NodeBlock node = node_with("a", {"m", "m", "m"});
    node.pools[0].ready = false;
    node.pools[1].draining = true;
    Nodes nodes{shared(node)};
    const ModelIndex index(nodes);
    const auto open = [&] {
        std::vector<bool> flags;
        const PoolLists lists(index, nodes);
        for (const ListedPool& pool : lists.of(*index.find("m"))) {
            flags.push_back(pool.open);
        }
        return flags;
    };
    EXPECT_EQ(open(), (std::vector<bool>{false, false, true}));
    node.status = NodeStatus::draining;
    nodes[0] = shared(node);
    EXPECT_EQ(open(), (std::vector<bool>{false, false, false}));
}

TEST(PoolLists, WhatHasNotChangedIsSharedWithTheViewBefore) {
    Nodes nodes{shared(node_with("a", {"m"})), shared(node_with("b", {"n"}))};
    const ModelIndex index(nodes);
    const PoolLists before(index, nodes);
    NodeBlock moved = *nodes[1];
    moved.pools[0].vram_free = 9 * kGiB;
    nodes[1] = shared(moved);
    const std::uint32_t changed[] = {1};
    const PoolLists after(before, index, nodes, changed);
    const std::size_t m = *index.find("m");
    const std::size_t n = *index.find("n");
    EXPECT_EQ(after.of(m).data(), before.of(m).data());
    EXPECT_EQ(after.of(n)[0].free_gib, 9U);
    EXPECT_EQ(before.of(n)[0].free_gib, 3U);
    nodes[1] = shared(moved);
    const PoolLists again(after, index, nodes, changed);
    EXPECT_EQ(again.of(n).data(), after.of(n).data()) << "a report that says nothing new";
}

TEST(PoolLists, FollowedChangeByChangeAreAsBuiltAnew) {
    Rng rng(5);
    Nodes nodes;
    for (int i = 0; i < 8; ++i) {
        nodes.push_back(shared(node_with("n" + std::to_string(i), {"m", "n", "m"})));
    }
    const auto index = std::make_shared<const ModelIndex>(nodes);
    ClusterView view(1, nodes, index, Instant{});
    for (int round = 0; round < 300; ++round) {
        std::vector<std::uint32_t> changed;
        for (std::uint32_t n = 0; n < nodes.size(); ++n) {
            if (rng.below(3) == 0) {
                NodeBlock node = *nodes[n];
                node.reachable = rng.below(4) != 0;
                node.pools[rng.below(3)].ready = rng.below(2) == 0;
                node.pools[rng.below(3)].vram_free = rng.below(5) * kGiB;
                node.pools[rng.below(3)].slots_total = static_cast<std::uint32_t>(rng.below(9));
                nodes[n] = shared(std::move(node));
                changed.push_back(n);
            }
        }
        view = ClusterView(view, nodes, changed, Instant{});
        const PoolLists anew(*index, nodes);
        for (const char* model : {"m", "n"}) {
            ASSERT_EQ(copy_of(view.list_model(model)), copy_of(anew.of(*index->find(model))));
        }
        ASSERT_EQ(
            copy_of(view.list_kind(ModelKind::chat)),
            copy_of(anew.of(index->of_kind(ModelKind::chat)))
        );
    }
    EXPECT_EQ(view.version(), 301U);
    EXPECT_TRUE(view.list_model("unknown").empty());
}

}  // namespace
}  // namespace orch::control::view
