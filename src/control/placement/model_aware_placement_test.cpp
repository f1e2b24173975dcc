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

// --- pools that were ready a moment ago

PoolBlock gone_for(Duration how_long) {
    PoolBlock block = pool(key("a", "p"), "m");
    block.ready = false;
    block.left_at = kNow - how_long;
    return block;
}

TEST(PlacementReturn, APoolThatWasReadyAMomentAgoIsAwaited) {
    using std::chrono::seconds;
    Cluster cluster;
    cluster.add(gone_for(seconds(10)));
    const Decision decision = decide_in(cluster.view(), asking("m"));
    ASSERT_TRUE(decision.rejection);
    EXPECT_EQ(decision.awaited_until, kNow + seconds(20));
    PlacementPolicy at_once;
    at_once.return_wait = {};
    EXPECT_FALSE(decide_in(cluster.view(), asking("m"), ChoiceLedger(), at_once).awaited_until);
    PlacementRequest elsewhere = asking("m");
    elsewhere.pin_node = NodeId("b");
    EXPECT_FALSE(decide_in(cluster.view(), elsewhere).awaited_until);
}

TEST(PlacementReturn, OnlyAsLongAsNobodyElseIsReadyAndItsNodeTakesWork) {
    using std::chrono::seconds;
    Cluster cluster;
    cluster.add(gone_for(seconds(30)));
    EXPECT_FALSE(decide_in(cluster.view(), asking("m")).awaited_until) << "it stayed away";
    Cluster offline;
    offline.add(gone_for(seconds(1))).status = NodeStatus::offline;
    EXPECT_FALSE(decide_in(offline.view(), asking("m")).awaited_until);
    Cluster other;
    other.add(gone_for(seconds(1)));
    other.add(pool(key("b", "p"), "m"));
    const Decision decision = decide_in(other.view(), asking("m"));
    EXPECT_FALSE(decision.rejection);
    EXPECT_FALSE(decision.awaited_until);
}

}  // namespace
}  // namespace orch::control::placement
