#include "sim/sim_cluster.hpp"

#include <gtest/gtest.h>

// Nodes join, fall silent and come back, and the control plane restarts: in virtual time.
namespace orch::sim {
namespace {

using namespace std::chrono_literals;

constexpr Duration kTimeout = 30s;
constexpr Duration kInterval = 10s;

std::vector<api::PoolReport> one_pool(std::size_t) {
    return {sim_pool("chat", "qwen", 2)};
}

// Nothing of a node counts longer than its timeout, and nothing counts shorter.
void check_view(SimCluster& cluster, std::size_t& checks) {
    for (std::size_t i = 0; i < cluster.size(); ++i) {
        const SimNode& node = cluster.node(i);
        const auto* const block = cluster.view()->find_node(node.id);
        if (block == nullptr || !node.last_heard) {
            continue;
        }
        const bool in_time = cluster.now() - *node.last_heard < kTimeout;
        ASSERT_EQ(block->online, in_time) << node.id.str();
        ++checks;
    }
}

TEST(MembershipSim, ADayOfAHundredNodesLosesNobody) {
    constexpr std::size_t kNodes = 100;
    SimCluster cluster(1, kNodes, one_pool, [](const auto&) {});
    for (std::size_t i = 0; i < kNodes; ++i) {
        cluster.start_node(i);
    }
    const Instant start = cluster.now();
    for (int hour = 1; hour <= 24; ++hour) {
        cluster.run_until(start + hour * 1h);
        ASSERT_EQ(cluster.view()->nodes_online(), kNodes);
        ASSERT_EQ(cluster.view()->pools_ready(), kNodes);
    }
    EXPECT_GE(cluster.heartbeats(), kNodes * 24 * 360);
    EXPECT_LE(cluster.heartbeats(), kNodes * (24 * 360 + 2));
    EXPECT_EQ(cluster.bugs(), 0U);
}

TEST(MembershipSim, ASilentNodeIsOfflineExactlyAtItsTimeoutAndBackWithItsNextHeartbeat) {
    SimCluster cluster(2, 2, one_pool, [](const auto&) {});
    cluster.start_node(0);
    cluster.start_node(1);
    cluster.run_until(Instant{} + 64s);
    const Instant heard = *cluster.node(0).last_heard;
    EXPECT_EQ(heard, Instant{} + 60s);
    cluster.node(0).silent_until = heard + 45s;

    cluster.run_until(heard + kTimeout - Duration(1));
    EXPECT_EQ(cluster.status(0), NodeStatus::online);
    EXPECT_EQ(cluster.view()->pools_ready(), 2U);
    cluster.run_until(heard + kTimeout);
    EXPECT_EQ(cluster.status(0), NodeStatus::offline);
    EXPECT_EQ(cluster.view()->pools_ready(), 1U) << "the edges know at once";

    cluster.run_until(heard + 50s - Duration(1));
    EXPECT_EQ(cluster.status(0), NodeStatus::offline);
    cluster.run_until(heard + 50s);
    EXPECT_EQ(cluster.status(0), NodeStatus::online) << "it kept its beat";
    cluster.run_for(control::fleet::RegistryBackend::kPublishWithin);
    EXPECT_EQ(cluster.view()->pools_ready(), 2U);
    EXPECT_EQ(cluster.status(1), NodeStatus::online);
}

// A script that waits for a node in the list and then sends a request must not be told 503.
TEST(MembershipSim, WhatTheNodeListShowsTheEdgesKnow) {
    SimCluster cluster(4, 3, one_pool, [](const auto&) {});
    cluster.start_node(0);
    cluster.run_for(1s);
    cluster.start_node(1);
    cluster.start_node(2);
    ASSERT_LT(cluster.view()->pools_ready(), 3U) << "nothing waits: this would show nothing";
    cluster.clock().run_for(Duration::zero());
    ASSERT_EQ(cluster.status(2), NodeStatus::online);
    EXPECT_EQ(cluster.view()->pools_ready(), 3U);
}

TEST(MembershipSim, AShortTimeoutIsKeptExactly) {
    SimCluster cluster(
        5, 1, one_pool, [](const auto&) {}, {.node_timeout = 50ms, .heartbeat_interval = 20ms}
    );
    cluster.run_for(1h);
    cluster.start_node(0);
    cluster.run_for(Duration::zero());
    const Instant heard = *cluster.node(0).last_heard;
    cluster.node(0).silent_until = heard + 1h;
    cluster.run_until(heard + 50ms - Duration(1));
    EXPECT_EQ(cluster.view()->nodes_online(), 1U);
    cluster.run_until(heard + 50ms);
    EXPECT_EQ(cluster.view()->nodes_online(), 0U);
}

TEST(MembershipSim, ARestartedControlPlaneHasAllItsNodesWithinOneInterval) {
    constexpr std::size_t kNodes = 100;
    SimCluster cluster(3, kNodes, one_pool, [](const auto&) {});
    for (std::size_t i = 0; i < kNodes; ++i) {
        cluster.run_for(kInterval / kNodes);
        cluster.start_node(i);
    }
    cluster.run_for(5min);
    for (int restart = 0; restart < 5; ++restart) {
        cluster.run_for(Duration(static_cast<std::int64_t>(cluster.rng().below(12'000'000'000))));
        cluster.restart_control();
        ASSERT_FALSE(cluster.knows(0));
        cluster.run_for(kInterval);
        for (std::size_t i = 0; i < kNodes; ++i) {
            ASSERT_TRUE(cluster.knows(i)) << i;
            ASSERT_EQ(cluster.status(i), NodeStatus::online) << i;
        }
        cluster.run_for(control::fleet::RegistryBackend::kPublishWithin);
        ASSERT_EQ(cluster.view()->pools_ready(), kNodes);
    }
    EXPECT_EQ(cluster.bugs(), 0U);
}

// Random silences of random nodes; every picture that is published must tell the truth.
TEST(MembershipSim, NoPictureShowsANodeLongerOrShorterThanItLives) {
    for (std::uint64_t seed = 10; seed < 13; ++seed) {
        SCOPED_TRACE(testing::Message() << "seed " << seed);
        std::size_t checks = 0;
        std::size_t offline = 0;
        SimCluster* self = nullptr;
        SimCluster cluster(seed, 12, one_pool, [&](const auto&) {
            if (self != nullptr) {
                check_view(*self, checks);
            }
        });
        self = &cluster;
        for (std::size_t i = 0; i < cluster.size(); ++i) {
            cluster.run_for(Duration(static_cast<std::int64_t>(cluster.rng().below(900'000'000))));
            cluster.start_node(i);
        }
        for (int round = 0; round < 300 && !testing::Test::HasFailure(); ++round) {
            SimNode& node = cluster.node(cluster.rng().below(cluster.size()));
            node.silent_until =
                cluster.now() + std::chrono::milliseconds(cluster.rng().below(90'000));
            cluster.run_for(std::chrono::milliseconds(cluster.rng().below(30'000)));
            offline += cluster.size() - cluster.view()->nodes_online();
        }
        EXPECT_GT(checks, 1000U);
        EXPECT_GT(offline, 100U) << "nothing was lost, so nothing was tried";
        self = nullptr;
    }
}

}  // namespace
}  // namespace orch::sim
