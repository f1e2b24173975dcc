#include "base/load_cell.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

namespace orch {
namespace {

TEST(LoadCell, GivesNoMoreSlotsThanThereAre) {
    LoadCell cell(2);
    EXPECT_TRUE(cell.try_claim());
    EXPECT_TRUE(cell.try_claim());
    EXPECT_FALSE(cell.try_claim());
    EXPECT_EQ(cell.claimed(), 2U);
    EXPECT_FALSE(cell.release());
    EXPECT_TRUE(cell.try_claim());
}

TEST(LoadCell, LetsNobodyOvertakeAWaiter) {
    LoadCell cell(2);
    ASSERT_TRUE(cell.try_claim());
    cell.add_waiter();
    EXPECT_FALSE(cell.try_claim());
    EXPECT_TRUE(cell.claim_for_waiter());
    EXPECT_FALSE(cell.claim_for_waiter());
    cell.remove_waiter();
    EXPECT_FALSE(cell.release());
    EXPECT_EQ(cell.claimed(), 1U);
    EXPECT_TRUE(cell.try_claim());
}

TEST(LoadCell, TellsTheReleaserThatSomebodyWaits) {
    LoadCell cell(1);
    ASSERT_TRUE(cell.try_claim());
    cell.add_waiter();
    EXPECT_TRUE(cell.release());
    cell.remove_waiter();
    ASSERT_TRUE(cell.try_claim());
    EXPECT_FALSE(cell.release());
}

TEST(LoadCell, CanBePublishedWithItsWaiters) {
    LoadCell cell(1, 3);
    EXPECT_EQ(cell.waiters(), 3U);
    EXPECT_FALSE(cell.try_claim());
    EXPECT_TRUE(cell.claim_for_waiter());
}

TEST(LoadCell, NeverGoesBelowZero) {
    LoadCell cell(1);
    EXPECT_FALSE(cell.release());
    cell.remove_waiter();
    EXPECT_EQ(cell.claimed(), 0U);
    EXPECT_EQ(cell.waiters(), 0U);
    EXPECT_TRUE(cell.try_claim());
    EXPECT_FALSE(cell.try_claim());
}

TEST(LoadCell, KeepsClaimsWhenCapacityShrinks) {
    LoadCell cell(3);
    ASSERT_TRUE(cell.try_claim());
    ASSERT_TRUE(cell.try_claim());
    cell.set_capacity(1);
    EXPECT_EQ(cell.claimed(), 2U);
    EXPECT_FALSE(cell.try_claim());
    EXPECT_FALSE(cell.release());
    EXPECT_FALSE(cell.try_claim());
    EXPECT_FALSE(cell.release());
    EXPECT_TRUE(cell.try_claim());
    EXPECT_EQ(cell.capacity(), 1U);
}

TEST(LoadCell, IsSuspectUntilTheInstant) {
    LoadCell cell(1);
    const Instant now{std::chrono::seconds(100)};
    EXPECT_FALSE(cell.suspect(now));
    cell.suspect_until(now + std::chrono::seconds(1));
    EXPECT_TRUE(cell.suspect(now));
    EXPECT_FALSE(cell.suspect(now + std::chrono::seconds(1)));
    cell.clear_suspicion();
    EXPECT_FALSE(cell.suspect(now));
}

TEST(LoadCell, OpensAfterFailuresInARowForPausesThatDouble) {
    using std::chrono::seconds;
    LoadCell cell(4);
    const Instant now{seconds(100)};
    cell.note_failure(now);
    cell.note_failure(now);
    EXPECT_FALSE(cell.suspect(now));
    cell.note_success();
    for (std::uint32_t i = 1; i < LoadCell::kTripAfter; ++i) {
        cell.note_failure(now);
    }
    EXPECT_FALSE(cell.suspect(now)) << "not in a row";
    Instant open = now;
    for (const int pause : {5, 10, 20, 40, 60, 60}) {
        cell.note_failure(open);
        cell.note_failure(open);  // of a request that was sent before
        const Instant end = open + seconds(pause);
        EXPECT_TRUE(cell.suspect(end - Duration(1))) << pause;
        EXPECT_FALSE(cell.suspect(end)) << pause;
        open = end;
        cell.claimed_at(open);
    }
    cell.note_failure(open);
    cell.clear_suspicion();
    EXPECT_TRUE(cell.suspect(open)) << "an answer to a probe says nothing of requests";
    cell.note_success();
    EXPECT_FALSE(cell.suspect(open));
    EXPECT_FALSE(cell.tripped());
}

TEST(LoadCell, AfterThePauseOneTrialGoesFirst) {
    using std::chrono::seconds;
    LoadCell cell(4);
    const Instant open{seconds(100)};
    for (std::uint32_t i = 0; i < LoadCell::kTripAfter; ++i) {
        cell.note_failure(open);
    }
    cell.claimed_at(open);
    const Instant half_open = open + LoadCell::kFirstPause;
    EXPECT_FALSE(cell.suspect(half_open)) << "a claim during the pause is no trial";
    cell.claimed_at(half_open);
    EXPECT_TRUE(cell.suspect(half_open)) << "to all others";
    const Instant late = half_open + LoadCell::kTrialLimit;
    EXPECT_FALSE(cell.suspect(late)) << "a trial without an end keeps nobody waiting for ever";
    cell.claimed_at(late);
    cell.note_success();
    EXPECT_FALSE(cell.suspect(late));
    cell.claimed_at(late);
    EXPECT_FALSE(cell.suspect(late)) << "closed: no trials any more";
}

TEST(LoadCell, HoldsItsCapacityWhileThreadsHammer) {
    constexpr std::uint32_t kCapacity = 3;
    constexpr int kThreads = 4;
    constexpr int kRounds = 20000;
    LoadCell cell(kCapacity);
    std::atomic<std::uint32_t> inside{0};
    std::atomic<bool> exceeded{false};
    std::vector<std::jthread> edges;
    for (int i = 0; i < kThreads; ++i) {
        edges.emplace_back([&] {
            for (int round = 0; round < kRounds; ++round) {
                if (cell.try_claim()) {
                    exceeded = exceeded || inside.fetch_add(1) + 1 > kCapacity;
                    inside.fetch_sub(1);
                    [[maybe_unused]] const bool waits = cell.release();
                }
            }
        });
    }
    edges.clear();
    EXPECT_FALSE(exceeded);
    EXPECT_EQ(cell.claimed(), 0U);
}

// The control thread parks a request on the only slot again and again: whenever it parked, the edge
// that freed the slot must have been told, else the request would wait for ever.
TEST(LoadCell, LosesNoWakeUp) {
    constexpr int kParkings = 5000;
    LoadCell cell(1);
    std::atomic<bool> stop{false};
    std::atomic<int> told{0};
    std::jthread edge([&] {
        while (!stop) {
            if (cell.try_claim() && cell.release()) {
                ++told;
            }
        }
    });
    for (int i = 0; i < kParkings; ++i) {
        const int before = told;
        cell.add_waiter();
        while (!cell.claim_for_waiter()) {
            while (told == before) {
                std::this_thread::yield();
            }
        }
        cell.remove_waiter();
        EXPECT_EQ(cell.claimed(), 1U);
        EXPECT_FALSE(cell.release());
    }
    stop = true;
}

TEST(LoadCell, TheMeanServiceTimeFollowsWhatItIsTold) {
    using std::chrono::milliseconds;
    LoadCell cell(1);
    EXPECT_EQ(cell.mean_service(), Duration::zero());
    cell.note_service(milliseconds(800));
    EXPECT_EQ(cell.mean_service(), milliseconds(800));
    cell.note_service(milliseconds(1600));
    EXPECT_EQ(cell.mean_service(), milliseconds(900));
    for (int i = 0; i < 100; ++i) {
        cell.note_service(milliseconds(10));
    }
    EXPECT_LT(cell.mean_service(), milliseconds(11));
}

}  // namespace
}  // namespace orch
