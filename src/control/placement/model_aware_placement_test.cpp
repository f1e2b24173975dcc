#include "control/placement/placement_fixture.hpp"

#include <set>

// Placement by model over all nodes: what every cluster relies on.
namespace orch::control::placement {
namespace {

TEST(ModelAwarePlacement, FiltersByModelAvailability) {
    Cluster cluster;
    cluster.add(pool(key("a", "p"), "llama"));
    cluster.add(pool(key("b", "p"), "qwen", 3));
    cluster.add(pool(key("c", "p"), "mistral"));
    EXPECT_EQ(ranking(cluster, asking("qwen")), (Names{"b/p"}));
}

TEST(ModelAwarePlacement, HasNoPlaceForAMissingModel) {
    Cluster cluster;
    cluster.add(pool(key("a", "p"), "llama"));
    EXPECT_EQ(rejection(cluster, asking("qwen")), Errc::model_not_found);
    PoolBlock loading = pool(key("b", "p"), "qwen");
    loading.ready = false;
    cluster.add(loading);
    EXPECT_EQ(rejection(cluster, asking("qwen")), Errc::model_not_available);
}

TEST(ModelAwarePlacement, WithoutAModelAnyPoolWillDo) {
    Cluster cluster;
    cluster.add(pool(key("a", "p"), "llama", 1));
    cluster.add(pool(key("b", "p"), "qwen"));
    EXPECT_EQ(ranking(cluster, {}), (Names{"b/p", "a/p"}));
}

TEST(ModelAwarePlacement, TakesTheLeastLoadedOfThoseWithTheModel) {
    Cluster cluster;
    cluster.add(pool(key("a", "p"), "qwen", 3));
    cluster.add(pool(key("b", "p"), "llama", 0));
    cluster.add(pool(key("c", "p"), "qwen", 1));
    for (const Strategy strategy : {Strategy::automatic, Strategy::least_loaded}) {
        EXPECT_EQ(
            ranking(cluster, asking("qwen"), ChoiceLedger(), {strategy}), (Names{"c/p", "a/p"})
        );
    }
}

TEST(ModelAwarePlacement, SkipsDrainingPools) {
    Cluster cluster;
    PoolBlock draining = pool(key("a", "p"), "qwen");
    draining.draining = true;
    cluster.add(draining);
    cluster.add(pool(key("b", "p"), "qwen", 3));
    EXPECT_EQ(ranking(cluster, asking("qwen")), (Names{"b/p"}));
}

TEST(ModelAwarePlacement, SkipsPoolsThatAreNotReady) {
    Cluster cluster;
    PoolBlock loading = pool(key("a", "p"), "qwen");
    loading.ready = false;
    cluster.add(loading);
    cluster.add(pool(key("b", "p"), "qwen", 3));
    EXPECT_EQ(ranking(cluster, asking("qwen")), (Names{"b/p"}));
}

TEST(ModelAwarePlacement, ConsidersAllOnlineNodesAndUsesThemAll) {
    Cluster cluster;
    std::vector<PoolBlock> pools;
    for (const char* node : {"a", "b", "c", "d"}) {
        pools.push_back(pool(key(node, "p"), "qwen"));
        cluster.add(pools.back());
    }
    cluster.add(pool(key("e", "p"), "qwen")).status = NodeStatus::offline;
    ChoiceLedger ledger;
    std::set<std::string> chosen;
    for (int i = 0; i < 4; ++i) {
        const Names ranked = ranking(cluster, asking("qwen"), ledger);
        ASSERT_EQ(ranked.size(), 4U);
        chosen.insert(ranked.front());
        for (const PoolBlock& each : pools) {
            if (each.key.node.str() + "/p" == ranked.front()) {
                ledger.chosen(*each.cell);
            }
        }
    }
    EXPECT_EQ(chosen, (std::set<std::string>{"a/p", "b/p", "c/p", "d/p"}));
}

}  // namespace
}  // namespace orch::control::placement
