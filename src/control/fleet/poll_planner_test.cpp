#include "control/fleet/poll_planner.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace orch::control::fleet {
namespace {

using namespace std::chrono_literals;

constexpr Instant kStart = Instant{} + 1h;

PollKey node(int number) {
    return {false, fmt::format("n{}", number)};
}

TEST(PollPlanner, AsksEveryNodeOnceInAnInterval) {
    PollPlanner planner({.interval = 5s}, 1);
    for (int i = 0; i < 100; ++i) {
        planner.add(node(i), kStart);
    }
    std::map<PollKey, int> asked;
    for (Instant now = kStart; now < kStart + 50s; now += 10ms) {
        for (const PollKey& key : planner.take_due(now)) {
            ++asked[key];
            planner.finished(key, true, now);
        }
    }
    ASSERT_EQ(asked.size(), 100U);
    for (const auto& [key, times] : asked) {
        EXPECT_EQ(times, 10) << key.name;
    }
}

TEST(PollPlanner, AnotherIntervalCountsFromTheNextTurn) {
    PollPlanner planner({.interval = 100s}, 1);
    planner.add(node(1), kStart);
    planner.add(node(2), kStart, true);
    const auto running = planner.take_due(kStart);
    ASSERT_EQ(running.size(), 1U);
    planner.set_interval(1s, kStart);
    planner.finished(running.front(), true, kStart);
    int asked = 0;
    for (Instant now = kStart; now < kStart + 10s; now += 10ms) {
        for (const PollKey& key : planner.take_due(now)) {
            ++asked;
            planner.finished(key, true, now);
        }
    }
    EXPECT_EQ(asked, 20);
    planner.remove(node(1));
    planner.remove(node(2));
    EXPECT_FALSE(planner.next_due());
}

TEST(PollPlanner, SpreadsNodesThatComeTogether) {
    PollPlanner planner({.interval = 5s}, 2);
    for (int i = 0; i < 1000; ++i) {
        planner.add(node(i), kStart);
    }
    std::size_t most = 0;
    for (Instant now = kStart; now <= kStart + 5s; now += 100ms) {
        const auto due = planner.take_due(now);
        most = std::max(most, due.size());
        for (const PollKey& key : due) {
            planner.finished(key, true, now);
        }
    }
    EXPECT_GT(most, 10U);
    EXPECT_LT(most, 60U) << "20 in a tenth of a second is even";
}

TEST(PollPlanner, KeepsEachNodesMomentHoweverLongItsAnswerTakes) {
    PollPlanner planner({.interval = 5s}, 3);
    planner.add(node(0), kStart);
    const Instant moment = *planner.next_due();
    ASSERT_EQ(planner.take_due(moment).size(), 1U);
    EXPECT_EQ(planner.next_due(), std::nullopt) << "it is being asked";
    planner.finished(node(0), true, moment + 12s);
    EXPECT_EQ(planner.next_due(), moment + 15s) << "what it missed is not made up for";
}

TEST(PollPlanner, AsksSoonWhenToldTo) {
    PollPlanner planner({.interval = 5s}, 4);
    planner.add(node(0), kStart, true);
    ASSERT_EQ(planner.take_due(kStart).size(), 1U);
    planner.finished(node(0), true, kStart + 1ms);
    EXPECT_GT(*planner.next_due(), kStart + 1ms);
    EXPECT_LE(*planner.next_due(), kStart + 5s + 1ms);
}

TEST(PollPlanner, AsksAtOnceWhereSomethingWentWrongAndKeepsTheMoment) {
    PollPlanner planner({.interval = 5s}, 3);
    planner.add(node(1), kStart);
    const auto moment = planner.next_due();
    planner.hurry(node(1), kStart);
    EXPECT_EQ(planner.next_due(), kStart);
    EXPECT_EQ(planner.take_due(kStart), std::vector<PollKey>{node(1)});
    planner.hurry(node(1), kStart);
    EXPECT_TRUE(planner.take_due(kStart).empty()) << "it is being asked";
    planner.finished(node(1), true, kStart);
    EXPECT_EQ(planner.next_due(), moment);
    planner.hurry(node(2), kStart);
    EXPECT_EQ(planner.size(), 1U);
}

TEST(PollPlanner, HasNeverMoreUnderWayThanItsLimit) {
    PollPlanner planner({.interval = 5s, .at_once = 3, .doubtful_at_once = 1}, 5);
    for (int i = 0; i < 10; ++i) {
        planner.add(node(i), kStart);
    }
    const Instant late = kStart + 5s;
    const auto first = planner.take_due(late);
    EXPECT_EQ(first.size(), 3U);
    EXPECT_TRUE(planner.take_due(late).empty());
    EXPECT_EQ(planner.next_due(), std::nullopt);
    planner.finished(first.front(), true, late);
    EXPECT_LE(*planner.next_due(), late);
    EXPECT_EQ(planner.take_due(late).size(), 1U);
}

TEST(PollPlanner, NodesThatHangKeepNobodyWaiting) {
    PollPlanner planner({.interval = 5s, .at_once = 4, .doubtful_at_once = 2}, 6);
    for (int i = 0; i < 4; ++i) {
        planner.add(node(i), kStart);
    }
    Instant now = kStart + 5s;
    for (const PollKey& key : planner.take_due(now)) {
        planner.finished(key, false, now);
    }
    now += 5s;
    EXPECT_EQ(planner.take_due(now).size(), 2U) << "of those that failed only two at once";
    planner.add(node(9), now, true);
    const auto well = planner.take_due(now);
    ASSERT_EQ(well.size(), 1U);
    EXPECT_EQ(well.front(), node(9));
}

TEST(PollPlanner, ForgetsWhatIsRemovedEvenWhileItIsAsked) {
    PollPlanner planner({.interval = 5s, .at_once = 1}, 7);
    planner.add(node(0), kStart, true);
    ASSERT_EQ(planner.take_due(kStart).size(), 1U);
    planner.remove(node(0));
    planner.finished(node(0), true, kStart);
    EXPECT_EQ(planner.next_due(), std::nullopt);
    EXPECT_EQ(planner.size(), 0U);
    planner.add(node(1), kStart, true);
    EXPECT_EQ(planner.take_due(kStart).size(), 1U) << "its place is free again";
}

TEST(PollPlanner, ANodeThatIsAddedAgainWhileItIsAskedHasOneTurn) {
    PollPlanner planner({.interval = 5s}, 8);
    planner.add(node(0), kStart, true);
    ASSERT_EQ(planner.take_due(kStart).size(), 1U);
    planner.remove(node(0));
    planner.add(node(0), kStart);
    planner.finished(node(0), true, kStart);
    EXPECT_EQ(planner.take_due(kStart + 5s).size(), 1U);
}

}  // namespace
}  // namespace orch::control::fleet
