#include "control/placement/placement_fixture.hpp"

#include <string>

namespace orch::control::placement {
namespace {

TEST(PlacementPolicy, PrefersTheLeastLoaded) {
    Cluster cluster;
    cluster.add(pool(key("a", "p"), "m", 2));
    cluster.add(pool(key("b", "p"), "m", 0));
    cluster.add(pool(key("c", "p"), "m", 1));
    EXPECT_EQ(ranking(cluster, asking("m")), (Names{"b/p", "c/p", "a/p"}));
}

TEST(PlacementPolicy, MeasuresLoadAgainstSlots) {
    Cluster cluster;
    cluster.add(pool(key("a", "p"), "m", 1));
    PoolBlock wide = pool(key("b", "p"), "m", 2);
    wide.slots_total = 16;
    wide.cell->set_capacity(16);
    cluster.add(wide);
    EXPECT_EQ(ranking(cluster, asking("m")), (Names{"b/p", "a/p"}));
}

TEST(PlacementPolicy, CountsSlotsThatOthersUse) {
    Cluster cluster;
    PoolBlock shared = pool(key("a", "p"), "m");
    shared.cell->set_capacity(1);
    cluster.add(shared);
    cluster.add(pool(key("b", "p"), "m", 1));
    EXPECT_EQ(ranking(cluster, asking("m")), (Names{"b/p", "a/p"}));
}

TEST(PlacementPolicy, ComparesFreeVramInWholeGib) {
    Cluster cluster;
    cluster.add(pool(key("a", "p"), "m"));
    PoolBlock hair = pool(key("b", "p"), "m");
    hair.vram_free = 10 * kGiB + 500 * kMiB;
    cluster.add(hair);
    PoolBlock more = pool(key("c", "p"), "m");
    more.vram_free = 12 * kGiB;
    cluster.add(more);
    EXPECT_EQ(ranking(cluster, asking("m")), (Names{"c/p", "a/p", "b/p"}));
    EXPECT_EQ(
        ranking(cluster, asking("m"), ChoiceLedger(), {Strategy::least_loaded}),
        (Names{"a/p", "b/p", "c/p"})
    );
}

TEST(PlacementPolicy, SpreadsTiesByLeastRecentlyChosen) {
    Cluster cluster;
    const PoolBlock a = pool(key("a", "p"), "m");
    const PoolBlock b = pool(key("b", "p"), "m");
    cluster.add(a);
    cluster.add(b);
    ChoiceLedger ledger;
    EXPECT_EQ(ranking(cluster, asking("m"), ledger), (Names{"a/p", "b/p"}));
    ledger.chosen(*a.cell);
    EXPECT_EQ(ranking(cluster, asking("m"), ledger), (Names{"b/p", "a/p"}));
    ledger.chosen(*b.cell);
    EXPECT_EQ(ranking(cluster, asking("m"), ledger), (Names{"a/p", "b/p"}));
}

TEST(PlacementPolicy, PutsSuspectPoolsLastUntilTheyAreNot) {
    Cluster cluster;
    const PoolBlock a = pool(key("a", "p"), "m");
    cluster.add(a);
    cluster.add(pool(key("b", "p"), "m", 3));
    a.cell->suspect_until(kNow + Duration(1));
    EXPECT_EQ(ranking(cluster, asking("m")), (Names{"b/p", "a/p"}));
    a.cell->suspect_until(kNow);
    EXPECT_EQ(ranking(cluster, asking("m")), (Names{"a/p", "b/p"}));
}

TEST(PlacementPolicy, RanksPoolsWithoutSlotsLast) {
    Cluster cluster;
    PoolBlock none = pool(key("a", "p"), "m");
    none.slots_total = 0;
    none.cell->set_capacity(0);
    cluster.add(none);
    cluster.add(pool(key("b", "p"), "m", 3));
    EXPECT_EQ(ranking(cluster, asking("m")), (Names{"b/p", "a/p"}));
}

TEST(PlacementPolicy, NeverPlacesWhereWorkCannotGo) {
    Cluster cluster;
    cluster.add(pool(key("a", "p"), "m")).status = NodeStatus::offline;
    cluster.add(pool(key("b", "p"), "m")).reachable = false;
    cluster.add(pool(key("c", "p"), "m")).status = NodeStatus::draining;
    cluster.add(pool(key("d", "p"), "m")).status = NodeStatus::failed;
    cluster.add(pool(key("e", "p"), "m")).status = NodeStatus::registering;
    PoolBlock loading = pool(key("f", "p"), "m");
    loading.ready = false;
    cluster.add(loading);
    PoolBlock draining = pool(key("g", "p"), "m");
    draining.draining = true;
    cluster.add(draining);
    cluster.add(pool(key("h", "p"), "other"));
    EXPECT_EQ(rejection(cluster, asking("m")), Errc::model_not_available);
    cluster.add(pool(key("i", "p"), "m"));
    EXPECT_EQ(ranking(cluster, asking("m")), (Names{"i/p"}));
}

TEST(PlacementPolicy, TakesAnyChatPoolWithoutAModel) {
    Cluster cluster;
    PoolBlock embedding = pool(key("a", "e"), "bge");
    embedding.kind = ModelKind::embedding;
    cluster.add(embedding);
    cluster.add(pool(key("b", "p"), "x"));
    EXPECT_EQ(ranking(cluster, {}), (Names{"b/p"}));
    EXPECT_EQ(ranking(cluster, asking("")), (Names{"b/p"}));
    PlacementRequest embed;
    embed.kind = ModelKind::embedding;
    EXPECT_EQ(ranking(cluster, embed), (Names{"a/e"}));
    embed.kind = ModelKind::rerank;
    EXPECT_EQ(rejection(cluster, embed), Errc::pool_unavailable);
}

TEST(PlacementPolicy, TellsUnknownModelsFromUnavailableOnes) {
    Cluster cluster;
    cluster.add(pool(key("a", "p"), "m")).status = NodeStatus::offline;
    EXPECT_EQ(rejection(cluster, asking("nobody")), Errc::model_not_found);
    EXPECT_EQ(rejection(cluster, asking("m")), Errc::model_not_available);
    EXPECT_EQ(rejection(cluster, asking("nobody"), kNow + Duration(1)), Errc::model_not_available);
    EXPECT_EQ(rejection(cluster, asking("nobody"), kNow), Errc::model_not_found);
}

TEST(PlacementPolicy, EchoesOnlyTheBeginningOfALongName) {
    const Cluster cluster;
    const ClusterView view = cluster.view();
    const Decision decision = decide_in(view, asking(std::string(100'000, 'x')));
    ASSERT_TRUE(decision.rejection);
    EXPECT_LT(decision.rejection->message.size(), 300U);
}

class Pins : public testing::Test {
protected:
    Pins() {
        cluster_.add(pool(key("a", "p"), "m"));
        cluster_.add(pool(key("a", "q"), "other"));
        cluster_.add(pool(key("b", "p"), "m", 2));
        PoolBlock loading = pool(key("c", "r"), "m");
        loading.ready = false;
        cluster_.add(loading);
        cluster_.add(pool(key("d", "s"), "m")).status = NodeStatus::offline;
        cluster_.add(pool(key("e", "p"), "m")).reachable = false;
    }

    PlacementRequest pinned(const char* node, const char* pool) const {
        PlacementRequest request = asking("m");
        if (node != nullptr) {
            request.pin_node = NodeId(node);
        }
        if (pool != nullptr) {
            request.pin_pool = PoolId(pool);
        }
        return request;
    }

    Cluster cluster_;
};

TEST_F(Pins, KeepToTheNodeAndPool) {
    EXPECT_EQ(ranking(cluster_, pinned("b", nullptr)), (Names{"b/p"}));
    EXPECT_EQ(ranking(cluster_, pinned(nullptr, "p")), (Names{"a/p", "b/p"}));
    EXPECT_EQ(ranking(cluster_, pinned("b", "p")), (Names{"b/p"}));
}

TEST_F(Pins, AreRefusedWithTheirReason) {
    EXPECT_EQ(rejection(cluster_, pinned("zz", nullptr)), Errc::node_unavailable);
    EXPECT_EQ(rejection(cluster_, pinned("d", nullptr)), Errc::node_unavailable);
    EXPECT_EQ(rejection(cluster_, pinned("e", nullptr)), Errc::node_unavailable);
    EXPECT_EQ(rejection(cluster_, pinned(nullptr, "zz")), Errc::node_unavailable);
    EXPECT_EQ(rejection(cluster_, pinned(nullptr, "s")), Errc::node_unavailable);
    EXPECT_EQ(rejection(cluster_, pinned("b", "q")), Errc::node_unavailable);
    EXPECT_EQ(rejection(cluster_, pinned(nullptr, "r")), Errc::pool_unready);
    EXPECT_EQ(rejection(cluster_, pinned(nullptr, "q")), Errc::pool_unavailable);
}

TEST_F(Pins, DoNotHideAnUnknownModel) {
    PlacementRequest request = pinned("a", nullptr);
    request.model = "nobody";
    EXPECT_EQ(rejection(cluster_, request), Errc::model_not_found);
}

TEST_F(Pins, GiveWayWithFallback) {
    PlacementRequest request = pinned("b", nullptr);
    request.fallback = true;
    EXPECT_EQ(ranking(cluster_, request), (Names{"b/p", "a/p"}));
    request.pin_node = NodeId("zz");
    EXPECT_EQ(ranking(cluster_, request), (Names{"a/p", "b/p"}));
}

TEST_F(Pins, PreferAndAvoidSteer) {
    PlacementRequest request = asking("m");
    request.prefer = *parse_hints("node:b", "X-Llorch-Prefer");
    EXPECT_EQ(ranking(cluster_, request), (Names{"b/p"}));
    request.fallback = true;
    EXPECT_EQ(ranking(cluster_, request), (Names{"b/p", "a/p"}));
    request.avoid = *parse_hints("node:b", "X-Llorch-Avoid");
    EXPECT_EQ(ranking(cluster_, request), (Names{"a/p"}));
    request.fallback = false;
    EXPECT_EQ(rejection(cluster_, request), Errc::pool_unavailable);
    request.prefer.clear();
    request.avoid = *parse_hints("pool:p", "X-Llorch-Avoid");
    EXPECT_EQ(rejection(cluster_, request), Errc::pool_unavailable);
}

TEST_F(Pins, ExcludedPoolsAreNoRejection) {
    PlacementRequest request = asking("m");
    request.exclude = {key("a", "p")};
    EXPECT_EQ(ranking(cluster_, request), (Names{"b/p"}));
    request.exclude.push_back(key("b", "p"));
    const ClusterView view = cluster_.view();
    const Decision decision = decide_in(view, request);
    EXPECT_TRUE(decision.all_excluded());
    EXPECT_FALSE(decision.rejection);
}

// All pools of the fixture are in life 0.
TEST_F(Pins, APoolThatFailedIsExcludedInThatLifeOnly) {
    PlacementRequest request = asking("m");
    request.failed = {{key("a", "p"), 0}};
    EXPECT_EQ(ranking(cluster_, request), (Names{"b/p"}));
    request.failed = {{key("a", "p"), 7}};
    EXPECT_EQ(ranking(cluster_, request).size(), 2U);
}

TEST_F(Pins, EveryPoolIsExplained) {
    const ClusterView view = cluster_.view();
    PlacementRequest request = asking("m");
    request.avoid = *parse_hints("node:b", "X-Llorch-Avoid");
    const Decision decision = decide_in(view, request);
    ASSERT_EQ(decision.considered.size(), 6U);
    EXPECT_TRUE(decision.considered[0].feasible);
    EXPECT_EQ(decision.considered[0].key, key("a", "p"));
    for (const Considered& each : decision.considered) {
        EXPECT_FALSE(each.reasons.empty()) << each.key.node.str();
        EXPECT_EQ(each.feasible, each.key == key("a", "p"));
    }
    EXPECT_EQ(decision.considered[1].reasons, (Names{"avoided by the request"}));
    EXPECT_DOUBLE_EQ(decision.considered[1].load, 0.5);
    EXPECT_EQ(decision.considered[2].reasons, (Names{"pool 'r' of node 'c' is not ready"}));
    EXPECT_EQ(decision.considered[3].reasons, (Names{"node 'd' is Offline"}));
    EXPECT_EQ(decision.considered[5].key, key("a", "q"));
    EXPECT_EQ(decision.considered[5].reasons, (Names{"it does not serve the model 'm'"}));
    const Decision quiet = decide(view, request, {}, ChoiceLedger{}, kNow);
    EXPECT_TRUE(quiet.considered.empty());
    EXPECT_EQ(quiet.ranked.size(), 1U);
}

TEST(PlacementPolicy, ClaimsNothing) {
    Cluster cluster;
    const PoolBlock a = pool(key("a", "p"), "m");
    cluster.add(a);
    ranking(cluster, asking("m"));
    EXPECT_EQ(a.cell->claimed(), 0U);
}

TEST(PlaceHints, ReadACommaList) {
    const auto hints = parse_hints(" node:a , pool:chat,", "X-Llorch-Prefer");
    ASSERT_TRUE(hints);
    ASSERT_EQ(hints->size(), 2U);
    EXPECT_TRUE((*hints)[0].matches(key("a", "x")));
    EXPECT_FALSE((*hints)[0].matches(key("b", "x")));
    EXPECT_TRUE((*hints)[1].matches(key("b", "chat")));
    EXPECT_TRUE(parse_hints("", "x")->empty());
    EXPECT_FALSE(PlaceHint{}.matches(key("a", "b")));
}

TEST(PlaceHints, NameTheHeaderThatIsWrong) {
    for (const char* text : {"a", "node:", "disk:a", "node:a b", "node:a,pool"}) {
        const auto hints = parse_hints(text, "X-Llorch-Avoid");
        ASSERT_FALSE(hints) << text;
        EXPECT_EQ(hints.error().code, Errc::invalid_params);
        EXPECT_TRUE(hints.error().message.starts_with("X-Llorch-Avoid: "));
    }
}

TEST(ChoiceLedger, ForgetsPoolsThatAreGone) {
    Cluster cluster;
    const PoolBlock kept = pool(key("a", "p"), "m");
    const PoolBlock gone = pool(key("b", "p"), "m");
    cluster.add(kept);
    ChoiceLedger ledger;
    ledger.chosen(*gone.cell);
    ledger.chosen(*kept.cell);
    EXPECT_LT(ledger.last_chosen(*gone.cell), ledger.last_chosen(*kept.cell));
    ledger.retain(cluster.view());
    EXPECT_EQ(ledger.last_chosen(*gone.cell), 0U);
    EXPECT_NE(ledger.last_chosen(*kept.cell), 0U);
}

}  // namespace
}  // namespace orch::control::placement
