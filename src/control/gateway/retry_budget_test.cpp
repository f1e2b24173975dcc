#include "control/gateway/retry_budget.hpp"

#include <gtest/gtest.h>

namespace orch::control::gateway {
namespace {

Instant at(double seconds) {
    return Instant{} +
           std::chrono::duration_cast<Duration>(std::chrono::duration<double>(1000 + seconds));
}

std::size_t spend_all(RetryBudget& budget, const RetryBudgetConfig& config, Instant now) {
    std::size_t tries = 0;
    while (tries < 1000 && budget.spend(config, now)) {
        ++tries;
    }
    return tries;
}

TEST(RetryBudget, AnIdleClusterHasItsFloor) {
    RetryBudget budget;
    const RetryBudgetConfig config{.share = 0.1, .floor = 3};
    budget.began();
    EXPECT_EQ(spend_all(budget, config, at(0)), 3U);
}

TEST(RetryBudget, ABusyOneHasAShareOfWhatRan) {
    RetryBudget budget;
    const RetryBudgetConfig config{.share = 0.1, .floor = 0};
    for (int i = 0; i < 100; ++i) {
        budget.began();
        if (i % 2 == 0) {
            budget.ended(at(5));
        }
    }
    EXPECT_EQ(spend_all(budget, config, at(6)), 10U);
}

TEST(RetryBudget, StreamsThatRunLongCountAllTheTime) {
    RetryBudget budget;
    const RetryBudgetConfig config{.share = 0.1, .floor = 0};
    for (int i = 0; i < 50; ++i) {
        budget.began();
    }
    EXPECT_EQ(spend_all(budget, config, at(500)), 5U);
}

TEST(RetryBudget, TenSecondsLaterAllIsForgotten) {
    RetryBudget budget;
    const RetryBudgetConfig config{.share = 0.1, .floor = 2};
    for (int i = 0; i < 40; ++i) {
        budget.began();
        budget.ended(at(0));
    }
    EXPECT_EQ(spend_all(budget, config, at(1)), 6U);
    EXPECT_FALSE(budget.spend(config, at(9.9)));
    // The requests of the first second are gone, the tries of the second one are not.
    EXPECT_FALSE(budget.spend(config, at(10.5)));
    EXPECT_EQ(spend_all(budget, config, at(11.5)), 2U);
    EXPECT_FALSE(budget.spend(config, at(12)));
}

TEST(RetryBudget, ALongSilenceLeavesNothingBehind) {
    RetryBudget budget;
    const RetryBudgetConfig config{.share = 0, .floor = 2};
    EXPECT_EQ(spend_all(budget, config, at(0)), 2U);
    EXPECT_EQ(spend_all(budget, config, at(5000)), 2U);
}

// When everything fails all the time, what is added stays a tenth of what was asked.
TEST(RetryBudget, AnOutageAddsATenth) {
    RetryBudget budget;
    const RetryBudgetConfig config{.share = 0.1, .floor = 5};
    int added = 0;
    constexpr int kRequests = 10'000;
    for (int i = 0; i < kRequests; ++i) {
        const Instant now = at(i * 0.01);
        budget.began();
        added += budget.spend(config, now) ? 1 : 0;
        added += budget.spend(config, now) ? 1 : 0;
        budget.ended(now);
    }
    EXPECT_LE(added, kRequests / 10 + 11 * 5);
    EXPECT_GE(added, kRequests / 10 - 10);
}

}  // namespace
}  // namespace orch::control::gateway
