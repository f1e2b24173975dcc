#include "control/placement/placement_fixture.hpp"

#include <map>

namespace orch::control::placement {
namespace {

class Strategies : public testing::Test {
protected:
    PoolBlock add(const char* node, std::uint32_t claimed, Bytes gib = 10) {
        PoolBlock block = pool(key(node, "p"), "m", claimed);
        block.vram_free = gib * kGiB;
        cells_[std::string(node) + "/p"] = block.cell;
        cluster_.add(block);
        return block;
    }

    Names ranked(Strategy strategy) const {
        return ranking(cluster_, asking("m"), ledger_, {strategy});
    }

    // How often each pool comes first in so many decisions, the first taken each time.
    std::map<std::string, int> firsts(Strategy strategy, int decisions) {
        std::map<std::string, int> counts;
        for (int i = 0; i < decisions; ++i) {
            const std::string first = ranked(strategy).front();
            ++counts[first];
            ledger_.chosen(*cells_.at(first));
        }
        return counts;
    }

    Cluster cluster_;
    std::map<std::string, std::shared_ptr<LoadCell>> cells_;
    ChoiceLedger ledger_{42};
};

TEST_F(Strategies, LeastLoadedLooksAtLoadAlone) {
    add("a", 1, 1);
    add("b", 0, 1);
    add("c", 1, 20);
    EXPECT_EQ(ranked(Strategy::least_loaded), (Names{"b/p", "a/p", "c/p"}));
    ledger_.chosen(*cells_["a/p"]);
    EXPECT_EQ(ranked(Strategy::least_loaded), (Names{"b/p", "a/p", "c/p"}));
}

TEST_F(Strategies, MostFreeVramLooksAtVramBeforeLoad) {
    add("a", 0, 4);
    add("b", 3, 20);
    add("c", 1, 20);
    add("d", 1, 20);
    EXPECT_EQ(ranked(Strategy::most_free_vram), (Names{"c/p", "d/p", "b/p", "a/p"}));
    ledger_.chosen(*cells_["c/p"]);
    EXPECT_EQ(ranked(Strategy::most_free_vram), (Names{"d/p", "c/p", "b/p", "a/p"}));
}

TEST_F(Strategies, RoundRobinGivesEveryPoolItsTurnWhateverItsLoad) {
    add("a", 3);
    add("b", 0);
    add("c", 1);
    for (const char* next : {"a/p", "b/p", "c/p", "a/p", "b/p", "c/p"}) {
        EXPECT_EQ(ranked(Strategy::round_robin).front(), next);
        ledger_.chosen(*cells_[next]);
    }
    add("d", 3);
    EXPECT_EQ(ranked(Strategy::round_robin).front(), "d/p") << "who joins has its turn at once";
}

TEST_F(Strategies, RandomChoosesAllAlike) {
    for (const char* node : {"a", "b", "c", "d"}) {
        add(node, 0);
    }
    for (const auto& [name, count] : firsts(Strategy::random, 4000)) {
        EXPECT_NEAR(count, 1000, 150) << name;
    }
}

TEST_F(Strategies, PowerOfTwoPutsTheLessLoadedOfTwoFirst) {
    add("a", 3);
    add("b", 0);
    add("c", 3);
    add("d", 3);
    const auto counts = firsts(Strategy::power_of_two, 4000);
    EXPECT_NEAR(counts.at("b/p"), 2000, 200) << "it wins whenever it is one of the two";
    EXPECT_GT(counts.at("a/p"), 400) << "and is not always one of them";
}

TEST_F(Strategies, ChanceRepeatsWithItsSeedAndMovesOnWithEachChoice) {
    for (const char* node : {"a", "b", "c", "d", "e", "f"}) {
        add(node, 0);
    }
    const Names first = ranked(Strategy::random);
    EXPECT_EQ(ranked(Strategy::random), first);
    ledger_.chosen(*cells_["a/p"]);
    const Names second = ranked(Strategy::random);
    EXPECT_NE(second, first);
    ChoiceLedger same{42};
    EXPECT_EQ(ranking(cluster_, asking("m"), same, {Strategy::random}), first);
    EXPECT_NE(ranking(cluster_, asking("m"), ChoiceLedger{43}, {Strategy::random}), first);
}

TEST_F(Strategies, SuspicionAndWishesComeBeforeEveryStrategy) {
    add("a", 0, 20);
    add("b", 3, 1);
    add("c", 3, 1);
    cells_["a/p"]->suspect_until(kNow + Duration(1));
    PlacementRequest request = asking("m");
    request.prefer = {{.node = NodeId("a"), .pool = {}}, {.node = NodeId("b"), .pool = {}}};
    request.fallback = true;
    for (const std::string& name : strategy_names()) {
        EXPECT_EQ(
            ranking(cluster_, request, ledger_, {*strategy_from(name)}),
            (Names{"b/p", "a/p", "c/p"})
        ) << name;
    }
}

TEST_F(Strategies, OrderThousandsAsFarAsSomebodyLooks) {
    for (std::uint32_t i = 1000; i < 1500; ++i) {
        add(("n" + std::to_string(i)).c_str(), i * 7 % 5, i * 3 % 11);
    }
    const ClusterView view = cluster_.view();
    for (const std::string& name : strategy_names()) {
        const PlacementPolicy policy{*strategy_from(name)};
        const Decision sorted = decide_in(view, asking("m"), ledger_, policy);
        Decision lazy = decide(view, asking("m"), policy, ledger_, kNow);
        EXPECT_LT(lazy.in_order, 100U);
        std::size_t looked = 0;
        const Candidate* const none = take_first(lazy, [&](const Candidate& candidate) {
            EXPECT_EQ(candidate.pool->key, sorted.ranked[looked].pool->key) << name << looked;
            ++looked;
            return false;
        });
        EXPECT_EQ(none, nullptr);
        EXPECT_EQ(looked, 500U);
    }
}

TEST_F(Strategies, HaveTheNamesThatSettingsUse) {
    EXPECT_EQ(
        strategy_names(),
        (Names{"auto", "least-loaded", "most-free-vram", "round-robin", "random", "power-of-two"})
    );
    for (const std::string& name : strategy_names()) {
        EXPECT_EQ(to_string(*strategy_from(name)), name);
    }
    const auto refused = strategy_from("fastest");
    ASSERT_FALSE(refused);
    EXPECT_TRUE(refused.error().message.contains("\"fastest\" must be one of auto, least-loaded"));
    const auto later = strategy_from("prefix-affinity");
    ASSERT_FALSE(later);
    EXPECT_TRUE(later.error().message.contains("not available in this version"));
}

}  // namespace
}  // namespace orch::control::placement
