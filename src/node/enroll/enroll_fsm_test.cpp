#include "node/enroll/enroll_fsm.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

namespace orch::node::enroll {
namespace {

using namespace std::chrono_literals;

class EnrollFsmTest : public testing::Test {
public:
    static EnrollConfig without_jitter() {
        EnrollConfig config;
        config.backoff.jitter = 0;
        return config;
    }

    void tell(const EnrollEvent& event) {
        actions = fsm.resume(event, now);
        for (const EnrollAction& action : actions) {
            if (const auto* wait = std::get_if<enroll_action::WaitUntil>(&action)) {
                wake_at = wait->at;
            }
            if (const auto* beat = std::get_if<enroll_action::SendHeartbeat>(&action)) {
                seqs.push_back(beat->seq);
                limits.push_back(beat->limit);
            }
        }
    }

    void registered(RegisterOutcome outcome, Duration next = {}) {
        tell(enroll_event::RegisterAnswered{outcome, next, "register"});
    }

    void beat(HeartbeatOutcome outcome, Duration next = {}) {
        tell(enroll_event::HeartbeatAnswered{outcome, next, "beat"});
    }

    void expire() {
        now = std::exchange(wake_at, std::nullopt).value();
        tell(enroll_event::TimerExpired{});
    }

    void join() {
        tell(enroll_event::Start{});
        registered(RegisterOutcome::accepted);
        beat(HeartbeatOutcome::accepted);
    }

    template <class Action>
    bool asked_for() const {
        return std::ranges::any_of(actions, [](const EnrollAction& action) {
            return std::holds_alternative<Action>(action);
        });
    }

    EnrollState state() const { return fsm.status().state; }

    Instant now = Instant{} + 1h;
    Rng rng{1};
    BeatSequence sequence;
    EnrollFsm fsm{without_jitter(), sequence, rng};
    EnrollActions actions;
    std::optional<Instant> wake_at;
    std::vector<std::uint64_t> seqs;
    std::vector<Duration> limits;
};

TEST_F(EnrollFsmTest, WaitsToBeStarted) {
    tell(enroll_event::TimerExpired{});
    tell(enroll_event::ReadinessChanged{});
    EXPECT_TRUE(actions.empty());
    tell(enroll_event::Start{});
    EXPECT_EQ(state(), EnrollState::registering);
    EXPECT_TRUE(asked_for<enroll_action::SendRegister>());
    tell(enroll_event::Start{});
    EXPECT_TRUE(actions.empty());
}

TEST_F(EnrollFsmTest, RegistersAgainWhenItsHostMoved) {
    join();
    expire();
    beat(HeartbeatOutcome::moved);
    EXPECT_EQ(state(), EnrollState::registering);
    EXPECT_TRUE(asked_for<enroll_action::SendRegister>());
    registered(RegisterOutcome::unreachable);
    EXPECT_EQ(state(), EnrollState::registered) << "it was in, and goes on beating";
    expire();
    EXPECT_TRUE(asked_for<enroll_action::SendHeartbeat>());
}

TEST_F(EnrollFsmTest, WaitsForTheAnswerToABeatNoLongerThanAnInterval) {
    tell(enroll_event::Start{});
    registered(RegisterOutcome::accepted);
    beat(HeartbeatOutcome::accepted, 2s);
    expire();
    beat(HeartbeatOutcome::accepted, 10ms);
    expire();
    EXPECT_EQ(limits, (std::vector<Duration>{5s, 2s, 1s}))
        << "at most what any answer may take, at least a second for a slow network";
}

TEST_F(EnrollFsmTest, BeatsRightAfterRegisteringAndThenEveryInterval) {
    tell(enroll_event::Start{});
    registered(RegisterOutcome::accepted);
    EXPECT_EQ(state(), EnrollState::registered);
    EXPECT_TRUE(asked_for<enroll_action::SendHeartbeat>());
    now += 3s;
    beat(HeartbeatOutcome::accepted);
    EXPECT_EQ(wake_at, now + 7s) << "the interval counts from beat to beat";
    expire();
    EXPECT_TRUE(asked_for<enroll_action::SendHeartbeat>());
    EXPECT_EQ(seqs, (std::vector<std::uint64_t>{1, 2}));
}

TEST_F(EnrollFsmTest, TheShorterIntervalWins) {
    tell(enroll_event::Start{});
    registered(RegisterOutcome::accepted, 2s);
    beat(HeartbeatOutcome::unreachable);
    EXPECT_EQ(wake_at, now + 2s);
    expire();
    beat(HeartbeatOutcome::accepted, 60s);
    EXPECT_EQ(wake_at, now + 10s);
    expire();
    beat(HeartbeatOutcome::accepted, 1ns);
    EXPECT_EQ(wake_at, now + 10ms) << "no control plane makes a node spin";
}

TEST_F(EnrollFsmTest, TakesANewIntervalAtOnce) {
    join();
    now += 4s;
    tell(enroll_event::IntervalChanged{5s});
    EXPECT_EQ(wake_at, now + 1s);
    now += 3s;
    tell(enroll_event::IntervalChanged{2s});
    EXPECT_EQ(wake_at, now);
}

TEST_F(EnrollFsmTest, ANodeThatNeverGotInBacksOff) {
    tell(enroll_event::Start{});
    std::vector<Duration> delays;
    for (int i = 0; i < 7; ++i) {
        registered(i % 2 == 0 ? RegisterOutcome::unreachable : RegisterOutcome::refused);
        EXPECT_EQ(state(), EnrollState::unregistered);
        delays.push_back(*wake_at - now);
        expire();
        EXPECT_TRUE(asked_for<enroll_action::SendRegister>());
    }
    EXPECT_EQ(delays, (std::vector<Duration>{1s, 2s, 4s, 8s, 16s, 30s, 30s}));
    EXPECT_EQ(fsm.status().last_error, "register");
    registered(RegisterOutcome::accepted);
    EXPECT_EQ(fsm.status().last_error, "");
}

TEST_F(EnrollFsmTest, IgnoresEarlyTimers) {
    tell(enroll_event::Start{});
    registered(RegisterOutcome::unreachable);
    now += 999ms;
    tell(enroll_event::TimerExpired{});
    EXPECT_TRUE(actions.empty());
}

TEST_F(EnrollFsmTest, BeatsOnWhateverFails) {
    join();
    for (int i = 0; i < 100; ++i) {
        expire();
        ASSERT_TRUE(asked_for<enroll_action::SendHeartbeat>());
        beat(i % 2 == 0 ? HeartbeatOutcome::unreachable : HeartbeatOutcome::refused);
        ASSERT_EQ(state(), EnrollState::registered);
        ASSERT_EQ(wake_at, now + 10s);
    }
    EXPECT_EQ(fsm.status().last_error, "beat");
    expire();
    beat(HeartbeatOutcome::accepted);
    EXPECT_EQ(fsm.status().last_error, "");
}

TEST_F(EnrollFsmTest, RegistersAtOnceWhenTold404) {
    join();
    expire();
    beat(HeartbeatOutcome::unknown_node);
    EXPECT_EQ(state(), EnrollState::registering);
    EXPECT_TRUE(asked_for<enroll_action::SendRegister>());
    registered(RegisterOutcome::accepted);
    EXPECT_TRUE(asked_for<enroll_action::SendHeartbeat>());
    EXPECT_EQ(fsm.status().registrations, 2U);
}

TEST_F(EnrollFsmTest, ARegisteredNodeKeepsItsRhythmWhenRegisteringAgainFails) {
    join();
    expire();
    beat(HeartbeatOutcome::unknown_node);
    registered(RegisterOutcome::unreachable);
    EXPECT_EQ(state(), EnrollState::registered);
    EXPECT_EQ(wake_at, now + 10s);
    expire();
    EXPECT_TRUE(asked_for<enroll_action::SendHeartbeat>());
}

TEST_F(EnrollFsmTest, DoesNotBeatUnderAnotherMachinesId) {
    join();
    expire();
    beat(HeartbeatOutcome::unknown_node);
    registered(RegisterOutcome::conflict);
    EXPECT_EQ(state(), EnrollState::unregistered);
    EXPECT_EQ(wake_at, now + 1s);
    expire();
    EXPECT_FALSE(asked_for<enroll_action::SendHeartbeat>());
    EXPECT_TRUE(asked_for<enroll_action::SendRegister>());
}

TEST_F(EnrollFsmTest, DoesNotSpinBetweenRegistrationAnd404) {
    tell(enroll_event::Start{});
    registered(RegisterOutcome::accepted);
    const Instant accepted = now;
    now += 5ms;
    beat(HeartbeatOutcome::unknown_node);
    EXPECT_FALSE(asked_for<enroll_action::SendRegister>());
    EXPECT_EQ(wake_at, accepted + 1s);
    tell(enroll_event::ReadinessChanged{});
    EXPECT_TRUE(actions.empty());
    expire();
    EXPECT_TRUE(asked_for<enroll_action::SendRegister>());
}

TEST_F(EnrollFsmTest, TellsReadinessAtOnce) {
    join();
    now += 1s;
    tell(enroll_event::ReadinessChanged{});
    EXPECT_TRUE(asked_for<enroll_action::SendHeartbeat>());
    beat(HeartbeatOutcome::accepted);
    EXPECT_EQ(wake_at, now + 10s);
}

TEST_F(EnrollFsmTest, CoalescesReadinessWhileABeatIsInFlight) {
    join();
    tell(enroll_event::ReadinessChanged{});
    tell(enroll_event::ReadinessChanged{});
    tell(enroll_event::ReadinessChanged{});
    EXPECT_TRUE(actions.empty());
    beat(HeartbeatOutcome::accepted);
    EXPECT_TRUE(asked_for<enroll_action::SendHeartbeat>());
    beat(HeartbeatOutcome::accepted);
    EXPECT_FALSE(asked_for<enroll_action::SendHeartbeat>());
    EXPECT_EQ(seqs.size(), 3U);
}

TEST_F(EnrollFsmTest, HasNewsUntilTheLastOneIsAnswered) {
    join();
    EXPECT_FALSE(fsm.has_news());
    tell(enroll_event::ReadinessChanged{});
    tell(enroll_event::ReadinessChanged{});
    EXPECT_TRUE(fsm.has_news());
    beat(HeartbeatOutcome::accepted);
    EXPECT_TRUE(fsm.has_news());
    beat(HeartbeatOutcome::unreachable);
    EXPECT_FALSE(fsm.has_news());
}

TEST_F(EnrollFsmTest, AChangeWhileRegisteringIsToldByTheFirstBeat) {
    tell(enroll_event::Start{});
    tell(enroll_event::ReadinessChanged{});
    EXPECT_TRUE(actions.empty());
    registered(RegisterOutcome::accepted);
    beat(HeartbeatOutcome::accepted);
    EXPECT_EQ(seqs.size(), 1U);
}

TEST_F(EnrollFsmTest, LeavesByDeregistering) {
    join();
    tell(enroll_event::Leave{});
    EXPECT_EQ(state(), EnrollState::leaving);
    EXPECT_TRUE(asked_for<enroll_action::SendDeregister>());
    tell(enroll_event::DeregisterAnswered{});
    EXPECT_EQ(state(), EnrollState::left);
    tell(enroll_event::Leave{});
    tell(enroll_event::Start{});
    EXPECT_TRUE(actions.empty());
    EXPECT_EQ(state(), EnrollState::left);
}

TEST_F(EnrollFsmTest, ALeavingNodeNeverRegistersAgain) {
    join();
    expire();
    tell(enroll_event::Leave{});
    beat(HeartbeatOutcome::unknown_node);
    EXPECT_TRUE(actions.empty());
    now += 1h;
    tell(enroll_event::TimerExpired{});
    tell(enroll_event::ReadinessChanged{});
    tell(enroll_event::IntervalChanged{1s});
    EXPECT_TRUE(actions.empty());
    EXPECT_EQ(state(), EnrollState::leaving);
}

class LeaveWhileRegistering : public EnrollFsmTest,
                              public testing::WithParamInterface<RegisterOutcome> {};

TEST_P(LeaveWhileRegistering, WaitsForTheAnswerAndDeregisters) {
    tell(enroll_event::Start{});
    tell(enroll_event::Leave{});
    EXPECT_TRUE(actions.empty());
    registered(GetParam());
    EXPECT_FALSE(asked_for<enroll_action::SendHeartbeat>());
    EXPECT_TRUE(asked_for<enroll_action::SendDeregister>());
    tell(enroll_event::DeregisterAnswered{});
    EXPECT_EQ(state(), EnrollState::left);
}

INSTANTIATE_TEST_SUITE_P(
    AnyAnswer,
    LeaveWhileRegistering,
    testing::Values(
        RegisterOutcome::accepted, RegisterOutcome::unreachable, RegisterOutcome::refused
    )
);

TEST_F(EnrollFsmTest, ANodeThatNeverGotInLeavesWithoutAWord) {
    tell(enroll_event::Start{});
    registered(RegisterOutcome::unreachable);
    tell(enroll_event::Leave{});
    EXPECT_TRUE(actions.empty());
    EXPECT_EQ(state(), EnrollState::left);
}

TEST_F(EnrollFsmTest, SharesItsNumbersWithEverythingElseTheNodeTells) {
    join();
    EXPECT_EQ(sequence.next(), 2U);
    expire();
    EXPECT_EQ(seqs.back(), 3U);
}

}  // namespace
}  // namespace orch::node::enroll
