#include "control/placement/placement_policy.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace orch::control::placement {
namespace {

using view::ClusterView;
using view::NodeBlock;
using view::PoolBlock;

constexpr Instant kNow{std::chrono::hours(1)};

PoolKey key(const std::string& node, const std::string& pool) {
    return {NodeId(node), PoolId(pool)};
}

PoolBlock pool(const PoolKey& id, std::string model, std::uint32_t claimed = 0) {
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

PlacementRequest asking(std::string model) {
    PlacementRequest request;
    request.model = std::move(model);
    return request;
}

Decision decide_in(
    const ClusterView& view,
    const PlacementRequest& request,
    const ChoiceLedger& ledger = {},
    Strategy strategy = Strategy::automatic
) {
    return decide(view, request, PlacementPolicy{strategy}, ledger, kNow, Explain::yes);
}

// "node/pool" of the ranking; the decision's pointers need the view, so it is read at once.
std::vector<std::string> ranking(
    const Cluster& cluster,
    const PlacementRequest& request,
    const ChoiceLedger& ledger = {},
    Strategy strategy = Strategy::automatic
) {
    const ClusterView view = cluster.view();
    std::vector<std::string> names;
    for (const Candidate& each : decide_in(view, request, ledger, strategy).ranked) {
        names.push_back(each.pool->key.node.str() + "/" + each.pool->key.pool.str());
    }
    return names;
}

using Names = std::vector<std::string>;

Errc rejection(const Cluster& cluster, const PlacementRequest& request, Instant warm = Instant{}) {
    const ClusterView view = cluster.view(warm);
    const Decision decision = decide_in(view, request);
    EXPECT_TRUE(decision.ranked.empty());
    EXPECT_TRUE(decision.rejection);
    return decision.rejection ? decision.rejection->code : Errc::internal;
}

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
        ranking(cluster, asking("m"), {}, Strategy::least_loaded), (Names{"a/p", "b/p", "c/p"})
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

TEST_F(Pins, EveryPoolIsExplained) {
    const ClusterView view = cluster_.view();
    PlacementRequest request = asking("m");
    request.avoid = *parse_hints("node:b", "X-Llorch-Avoid");
    const Decision decision = decide_in(view, request);
    ASSERT_EQ(decision.considered.size(), 5U);
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

TEST(PlacementPolicy, RefusesUnknownStrategies) {
    EXPECT_EQ(strategy_from("auto"), Strategy::automatic);
    EXPECT_EQ(strategy_from("least-loaded"), Strategy::least_loaded);
    const auto refused = strategy_from("fastest");
    ASSERT_FALSE(refused);
    EXPECT_TRUE(refused.error().message.contains("'fastest'"));
    EXPECT_TRUE(refused.error().message.contains("auto, least-loaded"));
    EXPECT_EQ(strategy_from(to_string(Strategy::least_loaded)), Strategy::least_loaded);
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
