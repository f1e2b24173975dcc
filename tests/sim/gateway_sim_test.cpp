#include "sim/sim_gateway.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace orch::sim {
namespace {

using namespace std::chrono_literals;

std::map<Ending, std::size_t> count_endings(const SimGateway& gateway) {
    std::map<Ending, std::size_t> counts;
    for (const auto& request : gateway.requests()) {
        EXPECT_EQ(request->endings.size(), 1U) << "every request ends exactly once";
        for (const Ending ending : request->endings) {
            ++counts[ending];
        }
    }
    return counts;
}

void expect_clean(SimGateway& gateway) {
    EXPECT_EQ(gateway.waiting(), 0U);
    EXPECT_EQ(gateway.claimed(), 0U);
    EXPECT_EQ(gateway.waiters(), 0U);
    EXPECT_EQ(gateway.cluster().bugs(), 0U);
    EXPECT_TRUE(gateway.defects().empty()) << gateway.defects().front();
}

TEST(GatewaySim, WaitingRequestsAreServedInOrderAndWithoutAPause) {
    SimGateway gateway(1, {.nodes = 1, .slots = 1, .admission = {}});
    const Instant start = gateway.cluster().now();
    for (int i = 0; i < 20; ++i) {
        gateway.arrive("qwen", 1s);
        gateway.cluster().run_for(1ms);
    }
    EXPECT_EQ(gateway.waiting(), 19U);
    gateway.cluster().run_for(25s);
    for (std::size_t i = 0; i < 20; ++i) {
        ASSERT_TRUE(gateway.requests()[i]->begun);
        EXPECT_EQ(*gateway.requests()[i]->begun, start + i * 1s) << i;
    }
    EXPECT_EQ(count_endings(gateway)[Ending::served], 20U);
    expect_clean(gateway);
}

TEST(GatewaySim, WhoIsRefusedKeepsItsPlace) {
    SimGateway gateway(2, {.nodes = 2, .slots = 1, .admission = {}, .refusals = 0.5});
    for (int i = 0; i < 30; ++i) {
        gateway.arrive("qwen", 3s);
        gateway.cluster().run_for(1ms);
    }
    gateway.cluster().run_for(100s);
    EXPECT_EQ(count_endings(gateway)[Ending::served], 30U);
    std::vector<Instant> order;
    for (const auto& request : gateway.requests()) {
        order.push_back(*request->begun);
    }
    std::ranges::sort(order);
    for (std::size_t i = 0; i < 30; ++i) {
        // Those right behind it may pass while it is refused; at the end of the queue it would be
        // passed by all.
        const auto place = std::ranges::find(order, *gateway.requests()[i]->begun) - order.begin();
        EXPECT_LE(place, static_cast<std::ptrdiff_t>(i) + 8) << i;
    }
    expect_clean(gateway);
}

TEST(GatewaySim, WhoCannotBeServedInTimeIsRejectedThen) {
    SimGateway gateway(
        3, {.nodes = 1, .slots = 1, .admission = {.capacity = 5, .queue_timeout = 10s}}
    );
    for (int i = 0; i < 8; ++i) {
        gateway.arrive("qwen", 60s);
    }
    gateway.cluster().run_for(10s);
    EXPECT_EQ(gateway.waiting(), 0U);
    gateway.cluster().run_for(100s);
    auto counts = count_endings(gateway);
    EXPECT_EQ(counts[Ending::served], 1U);
    EXPECT_EQ(counts[Ending::rejected], 7U);
    expect_clean(gateway);
}

TEST(GatewaySim, ALostNodesRequestsEndAndTheQueueGoesElsewhere) {
    SimGateway gateway(4, {.nodes = 2, .slots = 1, .admission = {}});
    gateway.cluster().run_for(1s);
    gateway.arrive("qwen", 5s);
    gateway.arrive("qwen", 5s);
    for (int i = 0; i < 4; ++i) {
        gateway.arrive("qwen", 1s);
    }
    gateway.cluster().run_for(1s);
    gateway.lose_node(0, 300s);
    gateway.cluster().run_for(60s);
    auto counts = count_endings(gateway);
    EXPECT_EQ(counts[Ending::broken], 1U);
    EXPECT_EQ(counts[Ending::served], 5U);
    expect_clean(gateway);
}

// Hours of traffic on nodes that come and go, leases that are refused, clients that leave.
TEST(GatewaySim, WhateverHappensEveryRequestEndsOnceAndEverySlotComesBack) {
    for (std::uint64_t seed = 20; seed < 25; ++seed) {
        SCOPED_TRACE(testing::Message() << "seed " << seed);
        SimGateway gateway(
            seed,
            {.nodes = 5,
             .slots = 3,
             .admission = {.capacity = 20, .queue_timeout = 20s},
             .refusals = 0.05}
        );
        SimCluster& cluster = gateway.cluster();
        Rng& rng = cluster.rng();
        const auto up_to = [&rng](std::uint64_t ms) {
            return std::chrono::milliseconds(rng.below(ms));
        };
        for (int i = 0; i < 1500; ++i) {
            const bool leaves = rng.below(4) == 0;
            const Duration work = up_to(10'000);
            const Duration patience = up_to(15'000);
            gateway.arrive("qwen", work, leaves ? cluster.now() + patience : Instant::max());
            cluster.run_for(up_to(700));
            if (rng.below(60) == 0) {
                gateway.lose_node(rng.below(cluster.size()), up_to(60'000));
            }
        }
        cluster.run_for(10min);
        auto counts = count_endings(gateway);
        EXPECT_GT(counts[Ending::served], 500U);
        EXPECT_GT(counts[Ending::client_left], 100U);
        EXPECT_GT(counts[Ending::broken], 5U);
        expect_clean(gateway);
    }
}

}  // namespace
}  // namespace orch::sim
