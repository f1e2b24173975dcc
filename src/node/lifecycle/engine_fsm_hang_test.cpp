#include "node/lifecycle/engine_fsm_fixture.hpp"

#include <gtest/gtest.h>

namespace orch::node::lifecycle {
namespace {

using namespace std::chrono_literals;

constexpr Duration kProbeLimit = 2s;  // of the prober

class EngineHangTest : public EngineFsmTest {
public:
    // No answer to the outstanding probe, for as long as the prober waits.
    void stay_silent(bool process_idle) {
        const engine_action::ProbeAt asked = engine.next_probe.value();
        engine.now = asked.at + kProbeLimit;
        engine.tell(
            engine_event::Probed{asked.probe, ProbeOutcome::no_answer, process_idle, "timed out"}
        );
    }
};

TEST_F(EngineHangTest, ThreeSilencesOfAnIdleProcessAreAHang) {
    serve();
    const Instant first = engine.next_probe->at;
    stay_silent(true);
    EXPECT_EQ(engine.next_probe->at, first + 2s) << "the silence took its time already";
    stay_silent(true);
    EXPECT_EQ(engine.state(), ReplicaState::ready);
    EXPECT_EQ(engine.next_probe->at, first + 4s);
    stay_silent(true);
    EXPECT_EQ(engine.now, first + 6s);
    EXPECT_EQ(engine.state(), ReplicaState::stopping);
    EXPECT_TRUE(engine.asked_for<engine_action::Publish>()) << "isolated at once";
    EXPECT_TRUE(killed(true));
    EXPECT_TRUE(engine.asked_for<engine_action::CloseUpstreams>());
    engine.tell(engine_event::ChildExited{EngineExit{.signal = 9}});
    EXPECT_EQ(engine.state(), ReplicaState::backing_off);
    EXPECT_EQ(status().last_error, "hung: no answer to 3 probes: timed out");
    EXPECT_EQ(status().crash, CrashReason::hung);
    engine.expire();
    EXPECT_TRUE(engine.asked_for<engine_action::Spawn>());
}

TEST_F(EngineHangTest, ATwoMinutePromptThatSilencesTheEngineIsNotCut) {
    serve();
    const Instant end = engine.now + 2min;
    while (engine.now < end) {
        stay_silent(false);
        ASSERT_EQ(engine.state(), ReplicaState::ready);
        EXPECT_FALSE(engine.asked_for<engine_action::Kill>());
        EXPECT_FALSE(engine.asked_for<engine_action::CloseUpstreams>());
    }
    engine.answer(ProbeOutcome::ok);
    EXPECT_EQ(engine.state(), ReplicaState::ready);
}

TEST_F(EngineHangTest, SilencesCountOnlyInARow) {
    serve();
    for (int i = 0; i < 30; ++i) {
        stay_silent(true);
        stay_silent(true);
        stay_silent(false);
    }
    EXPECT_EQ(engine.state(), ReplicaState::ready);
    stay_silent(true);
    stay_silent(true);
    engine.answer(ProbeOutcome::ok);
    stay_silent(true);
    EXPECT_EQ(engine.state(), ReplicaState::ready);
}

TEST_F(EngineHangTest, AnEngineThatStopsWhileItLoadsIsFoundBeforeItsTimeIsOver) {
    start();
    engine.answer(ProbeOutcome::loading);
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(engine.state(), ReplicaState::loading);
        stay_silent(true);
    }
    EXPECT_EQ(engine.state(), ReplicaState::stopping);
    EXPECT_TRUE(killed(true));
}

TEST_F(EngineHangTest, AnAdoptedEngineThatIsStoppedIsFound) {
    engine.tell(engine_event::Adopted{4242});
    for (int i = 0; i < 3; ++i) {
        stay_silent(true);
    }
    EXPECT_TRUE(killed(true));
    engine.tell(engine_event::ChildExited{EngineExit{.known = false}});
    EXPECT_EQ(status().crash, CrashReason::hung);
}

TEST_F(EngineHangTest, ALoadThatKeepsTheProcessBusyGoesOn) {
    start();
    for (int i = 0; i < 100; ++i) {
        stay_silent(false);
    }
    EXPECT_EQ(engine.state(), ReplicaState::starting);
}

}  // namespace
}  // namespace orch::node::lifecycle
