#include "control/placement/session_affinity.hpp"

#include "control/placement/placement_fixture.hpp"

#include <map>

namespace orch::control::placement {
namespace {

PlacementRequest in_session(const std::string& session) {
    PlacementRequest request = asking("m");
    request.session = session;
    return request;
}

std::string session_name(int number) {
    return "session-" + std::to_string(number);
}

// Pools "p" of nodes n0, n1, ...
std::vector<PoolBlock> some_pools(int count) {
    std::vector<PoolBlock> pools;
    for (int i = 0; i < count; ++i) {
        pools.push_back(pool(key("n" + std::to_string(i), "p"), "m"));
    }
    return pools;
}

Cluster cluster_of(const std::vector<PoolBlock>& pools) {
    Cluster cluster;
    for (const PoolBlock& each : pools) {
        cluster.add(each);
    }
    return cluster;
}

std::map<int, std::string> homes(const Cluster& cluster, int sessions) {
    std::map<int, std::string> found;
    for (int i = 0; i < sessions; ++i) {
        found[i] = ranking(cluster, in_session(session_name(i))).front();
    }
    return found;
}

TEST(SessionAffinity, KeepsASessionAtItsHomeWhateverTheLoad) {
    const auto pools = some_pools(4);
    const Cluster cluster = cluster_of(pools);
    const std::string home = ranking(cluster, in_session("s")).front();
    for (const PoolBlock& each : pools) {
        if (each.key.node.str() + "/p" == home) {
            ASSERT_TRUE(each.cell->try_claim());
            ASSERT_TRUE(each.cell->try_claim());
        }
    }
    EXPECT_EQ(ranking(cluster, in_session("s")).front(), home);
    EXPECT_NE(ranking(cluster, asking("m")).front(), home) << "others go where there is room";
}

TEST(SessionAffinity, IsOneOrderForEveryThread) {
    const Cluster cluster = cluster_of(some_pools(6));
    const ChoiceLedger elsewhere{99};
    EXPECT_EQ(ranking(cluster, in_session("s")), ranking(cluster, in_session("s"), elsewhere));
    EXPECT_DOUBLE_EQ(
        SessionAffinity("s").of(key("a", "p"), 4), SessionAffinity("s").of(key("a", "p"), 4)
    );
    EXPECT_NE(
        SessionAffinity("s").of(key("a", "pb"), 4), SessionAffinity("s").of(key("ap", "b"), 4)
    );
}

TEST(SessionAffinity, MovesOnlyTheSessionsOfAPoolThatLeavesAndBringsThemBack) {
    const auto pools = some_pools(5);
    const auto before = homes(cluster_of(pools), 500);
    auto fewer = pools;
    fewer.erase(fewer.begin() + 2);
    const auto without = homes(cluster_of(fewer), 500);
    int moved = 0;
    for (const auto& [session, home] : before) {
        if (home == "n2/p") {
            ++moved;
            EXPECT_NE(without.at(session), "n2/p");
        } else {
            EXPECT_EQ(without.at(session), home) << session;
        }
    }
    EXPECT_NEAR(moved, 100, 40);
    EXPECT_EQ(homes(cluster_of(pools), 500), before);
}

TEST(SessionAffinity, SharesSessionsAsSlotsAreShared) {
    auto pools = some_pools(2);
    pools[1].slots_total = 12;
    int large = 0;
    for (const auto& [session, home] : homes(cluster_of(pools), 2000)) {
        large += home == "n1/p" ? 1 : 0;
    }
    EXPECT_NEAR(large, 1500, 80);
}

TEST(SessionAffinity, NeverPrefersAPoolWithoutSlots) {
    auto pools = some_pools(2);
    pools[0].slots_total = 0;
    for (const auto& [session, home] : homes(cluster_of(pools), 50)) {
        EXPECT_EQ(home, "n1/p");
    }
}

TEST(SessionAffinity, YieldsToSuspicionRequirementsAndWishes) {
    const auto pools = some_pools(3);
    const Cluster cluster = cluster_of(pools);
    PlacementRequest request = in_session("s");
    const Names order = ranking(cluster, request);
    request.avoid = {{.node = NodeId(order[0].substr(0, 2)), .pool = {}}};
    EXPECT_EQ(ranking(cluster, request), (Names{order[1], order[2]}));
    request.avoid.clear();
    for (const PoolBlock& each : pools) {
        if (each.key.node.str() + "/p" == order[0]) {
            each.cell->suspect_until(kNow + Duration(1));
        }
    }
    EXPECT_EQ(ranking(cluster, request), (Names{order[1], order[2], order[0]}));
}

TEST(SessionAffinity, IsKnownToAutoAlone) {
    const auto pools = some_pools(4);
    const Cluster cluster = cluster_of(pools);
    for (const std::string& name : strategy_names()) {
        const PlacementPolicy policy{*strategy_from(name)};
        if (policy.strategy == Strategy::automatic) {
            continue;
        }
        for (int i = 0; i < 20; ++i) {
            EXPECT_EQ(
                ranking(cluster, in_session(session_name(i)), ChoiceLedger(), policy),
                ranking(cluster, asking("m"), ChoiceLedger(), policy)
            ) << name;
        }
    }
}

TEST(SessionAffinity, IsToldInTheExplanation) {
    const Cluster cluster = cluster_of(some_pools(3));
    const ClusterView view = cluster.view();
    const Decision decision = decide_in(view, in_session("s"));
    EXPECT_EQ(decision.considered.at(0).reasons.at(2), "the session's home");
    EXPECT_EQ(decision.considered.at(1).reasons.size(), 2U);
}

}  // namespace
}  // namespace orch::control::placement
