#include "node/lifecycle/restart_policy.hpp"

#include <gtest/gtest.h>

namespace orch::node::lifecycle {
namespace {

using namespace std::chrono_literals;

constexpr Instant kNow{1h};

RestartConfig without_jitter() {
    RestartConfig config;
    config.backoff.jitter = 0;
    return config;
}

TEST(RestartPolicy, DoublesUpToItsMaximum) {
    Rng rng(1);
    RestartConfig config = without_jitter();
    config.breaker_threshold = 100;
    RestartPolicy policy(config, rng);
    Duration last{};
    for (int i = 0; i < 6; ++i) {
        const Duration delay = policy.decide_after_failure(std::nullopt, kNow).delay;
        EXPECT_EQ(delay, i == 0 ? Duration(1s) : last * 2);
        last = delay;
    }
    EXPECT_EQ(policy.decide_after_failure(std::nullopt, kNow).delay, Duration(60s));
    EXPECT_EQ(policy.decide_after_failure(std::nullopt, kNow).delay, Duration(60s));
}

TEST(RestartPolicy, OpensTheCircuitAtTheThreshold) {
    Rng rng(1);
    RestartPolicy policy(without_jitter(), rng);
    for (int i = 0; i < 4; ++i) {
        EXPECT_FALSE(policy.decide_after_failure(std::nullopt, kNow).broken);
    }
    const RestartDecision fifth = policy.decide_after_failure(std::nullopt, kNow);
    EXPECT_TRUE(fifth.broken);
    EXPECT_EQ(fifth.delay, Duration(300s));
    EXPECT_TRUE(policy.decide_after_failure(kNow - 299s, kNow).broken);
}

TEST(RestartPolicy, StableServiceForgivesEverything) {
    Rng rng(1);
    RestartPolicy policy(without_jitter(), rng);
    for (int i = 0; i < 6; ++i) {
        policy.decide_after_failure(std::nullopt, kNow);
    }
    const RestartDecision next = policy.decide_after_failure(kNow - 300s, kNow);
    EXPECT_FALSE(next.broken);
    EXPECT_EQ(next.delay, Duration(1s));
    EXPECT_EQ(policy.failures(), 1U);
}

TEST(RestartPolicy, ResetStartsFromTheBeginning) {
    Rng rng(1);
    RestartPolicy policy(without_jitter(), rng);
    policy.decide_after_failure(std::nullopt, kNow);
    policy.decide_after_failure(std::nullopt, kNow);
    policy.reset();
    EXPECT_EQ(policy.failures(), 0U);
    EXPECT_EQ(policy.decide_after_failure(std::nullopt, kNow).delay, Duration(1s));
}

}  // namespace
}  // namespace orch::node::lifecycle
