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

// --- pools that are not loaded yet

std::string to_load(const Cluster& cluster, const PlacementRequest& request = asking("m")) {
    const ClusterView view = cluster.view();
    const Decision decision = decide_in(view, request);
    if (decision.to_load == nullptr) {
        return "";
    }
    EXPECT_TRUE(decision.rejection);
    EXPECT_EQ(decision.awaited_until, kWhileLoading);
    return decision.to_load->key.node.str();
}

TEST(PlacementLoading, TakesThePoolAtRestWhereMostMemoryIsFree) {
    Cluster cluster;
    PoolBlock roomy = at_rest(key("b", "p"), kGiB);
    roomy.vram_free = 20 * kGiB;
    cluster.add(at_rest(key("a", "p"), kGiB));
    cluster.add(roomy);
    cluster.add(at_rest(key("c", "p"), kGiB));
    EXPECT_EQ(to_load(cluster), "b");
    PlacementRequest elsewhere = asking("m");
    elsewhere.avoid = {{.node = NodeId("b"), .pool = {}}};
    EXPECT_EQ(to_load(cluster, elsewhere), "a") << "of equals the first by name";
    elsewhere.exclude = {key("a", "p")};
    EXPECT_EQ(to_load(cluster, elsewhere), "c");
    EXPECT_EQ(to_load(cluster, asking("other")), "");
}

TEST(PlacementLoading, PrefersWhatTheRequestWishesAsLongAsItFitsThere) {
    Cluster cluster;
    PoolBlock roomy = at_rest(key("a", "p"), kGiB);
    roomy.vram_free = 20 * kGiB;
    cluster.add(roomy);
    cluster.add(at_rest(key("b", "p"), kGiB));
    PlacementRequest pinned = asking("m");
    pinned.pin_node = NodeId("b");
    EXPECT_EQ(to_load(cluster, pinned), "b");
    pinned.fallback = true;
    EXPECT_EQ(to_load(cluster, pinned), "b");
    Cluster tight;
    tight.add(roomy);
    tight.add(at_rest(key("b", "p"), 11 * kGiB));
    EXPECT_EQ(to_load(tight, pinned), "a");
    pinned.fallback = false;
    EXPECT_EQ(to_load(tight, pinned), "");
}

TEST(PlacementLoading, LoadsNothingWhileAnotherPoolServesOrIsOnItsWay) {
    Cluster served;
    served.add(at_rest(key("a", "p"), kGiB));
    served.add(pool(key("b", "p"), "m", 4));
    EXPECT_FALSE(decide_in(served.view(), asking("m")).rejection) << "full, but it serves";
    Cluster loading;
    loading.add(at_rest(key("a", "p"), kGiB));
    PoolBlock on_its_way = at_rest(key("b", "p"), 0);
    on_its_way.loadable = false;
    on_its_way.loading = true;
    loading.add(on_its_way);
    const ClusterView view = loading.view();
    const Decision decision = decide_in(view, asking("m"));
    EXPECT_EQ(decision.awaited_until, kWhileLoading);
    EXPECT_EQ(decision.to_load, nullptr);
    Cluster returning;
    returning.add(gone_for(std::chrono::seconds(10)));
    returning.add(at_rest(key("b", "p"), kGiB));
    EXPECT_EQ(to_load(returning), "");
}

TEST(PlacementLoading, SaysWhyAPoolThatWasLoadedInVainDoesNotServe) {
    Cluster cluster;
    PoolBlock failed = at_rest(key("a", "p"), 0);
    failed.loadable = false;
    failed.last_error = "the engine ended with status 1";
    cluster.add(failed);
    const Decision decision = decide_in(cluster.view(), asking("m"));
    EXPECT_FALSE(decision.awaited_until);
    EXPECT_EQ(
        decision.considered.at(0).reasons,
        (Names{"pool 'p' of node 'a' is not ready: the engine ended with status 1"})
    );
}

}  // namespace
}  // namespace orch::control::placement
