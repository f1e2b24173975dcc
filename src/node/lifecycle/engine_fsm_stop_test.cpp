#include "node/lifecycle/engine_fsm_fixture.hpp"

#include <gtest/gtest.h>

namespace orch::node::lifecycle {
namespace {

using namespace std::chrono_literals;

TEST_F(EngineFsmTest, AStopDrainsThenTerminates) {
    serve();
    engine.tell(engine_event::StopWanted{engine.now + 30s});
    EXPECT_EQ(engine.state(), ReplicaState::draining);
    EXPECT_FALSE(engine.asked_for<engine_action::Kill>());
    engine.tell(engine_event::Drained{});
    EXPECT_EQ(engine.state(), ReplicaState::stopping);
    EXPECT_TRUE(killed(false));
    engine.exit(0);
    EXPECT_EQ(engine.state(), ReplicaState::stopped);
    EXPECT_FALSE(status().pid);
    EXPECT_EQ(status().last_error, "");
}

TEST_F(EngineFsmTest, ADrainEndsAtItsDeadline) {
    serve();
    engine.tell(engine_event::StopWanted{engine.now + 30s});
    engine.now += 29s;
    engine.tell(engine_event::TimerExpired{});
    EXPECT_EQ(engine.state(), ReplicaState::draining);
    engine.expire();
    EXPECT_EQ(engine.state(), ReplicaState::stopping);
    EXPECT_TRUE(engine.asked_for<engine_action::CloseUpstreams>());
}

TEST_F(EngineFsmTest, TermTermKillWithGraceBetween) {
    serve();
    engine.tell(engine_event::StopWanted{engine.now});
    EXPECT_TRUE(killed(false));
    EXPECT_EQ(engine.wake_at, engine.now + 5s);
    engine.expire();
    EXPECT_TRUE(killed(false));
    EXPECT_EQ(engine.wake_at, engine.now + 2s);
    engine.expire();
    EXPECT_TRUE(killed(true));
    engine.expire();
    EXPECT_TRUE(killed(true));
    engine.tell(engine_event::ChildExited{EngineExit{.signal = 9}});
    EXPECT_EQ(engine.state(), ReplicaState::stopped);
}

TEST_F(EngineFsmTest, AStopDuringTheStartEndsTheProcess) {
    engine.tell(engine_event::StartWanted{});
    engine.tell(engine_event::StopWanted{engine.now + 30s});
    EXPECT_EQ(engine.state(), ReplicaState::stopping);
    EXPECT_FALSE(engine.asked_for<engine_action::Kill>());
    engine.tell(engine_event::Spawned{7});
    EXPECT_TRUE(killed(false));
    engine.tell(engine_event::ChildExited{EngineExit{.signal = 15}});
    EXPECT_EQ(engine.state(), ReplicaState::stopped);
}

TEST_F(EngineFsmTest, AStopWhileBackingOffRestsAtOnce) {
    start();
    engine.exit(1);
    engine.tell(engine_event::StopWanted{engine.now + 30s});
    EXPECT_EQ(engine.state(), ReplicaState::stopped);
    engine.expire();
    EXPECT_EQ(engine.state(), ReplicaState::stopped);
}

TEST_F(EngineFsmTest, AStartDuringTheStopFollowsTheExit) {
    serve();
    engine.tell(engine_event::StopWanted{engine.now});
    engine.tell(engine_event::StartWanted{});
    EXPECT_EQ(engine.state(), ReplicaState::stopping);
    engine.exit(0);
    EXPECT_EQ(engine.state(), ReplicaState::starting);
    EXPECT_TRUE(engine.asked_for<engine_action::Spawn>());
    EXPECT_EQ(status().failures, 0U);
}

TEST_F(EngineFsmTest, AStartTakesADrainBack) {
    serve();
    engine.tell(engine_event::StopWanted{engine.now + 30s});
    engine.tell(engine_event::StartWanted{});
    EXPECT_EQ(engine.state(), ReplicaState::ready);
    engine.expire();
    EXPECT_EQ(engine.state(), ReplicaState::ready);
    engine.tell(engine_event::Drained{});
    EXPECT_EQ(engine.state(), ReplicaState::ready);
}

TEST_F(EngineFsmTest, AHeldDrainKeepsTheEngineAndOutlivesItsRestart) {
    serve();
    engine.tell(engine_event::DrainWanted{});
    engine.tell(engine_event::Drained{});
    EXPECT_EQ(engine.state(), ReplicaState::draining);
    engine.exit(1);
    engine.expire();
    engine.tell(engine_event::Spawned{++pid});
    engine.answer(ProbeOutcome::ok);
    EXPECT_EQ(engine.state(), ReplicaState::draining);
    engine.tell(engine_event::StartWanted{});
    EXPECT_EQ(engine.state(), ReplicaState::ready);
}

TEST_F(EngineFsmTest, ADeathWhileDrainingToStopIsTheStop) {
    serve();
    engine.tell(engine_event::StopWanted{engine.now + 30s});
    engine.exit(139);
    EXPECT_EQ(engine.state(), ReplicaState::stopped);
}

TEST_F(EngineFsmTest, AStopWhileItLoadsTerminatesAtOnce) {
    start();
    engine.answer(ProbeOutcome::loading);
    engine.tell(engine_event::StopWanted{engine.now + 30s});
    EXPECT_EQ(engine.state(), ReplicaState::stopping);
    EXPECT_TRUE(killed(false));
}

TEST_F(EngineFsmTest, AStopOfABrokenEngineEndsItsRetries) {
    start();
    engine.exit(1);
    while (engine.state() == ReplicaState::backing_off) {
        fail_once();
    }
    ASSERT_EQ(engine.state(), ReplicaState::broken);
    engine.tell(engine_event::StopWanted{engine.now});
    EXPECT_EQ(engine.state(), ReplicaState::stopped);
    engine.expire();
    EXPECT_TRUE(engine.actions.empty());
}

TEST_F(EngineFsmTest, ASecondStopMovesTheDeadline) {
    serve();
    engine.tell(engine_event::StopWanted{engine.now + 30s});
    engine.tell(engine_event::StopWanted{engine.now + 5s});
    EXPECT_EQ(engine.state(), ReplicaState::draining);
    EXPECT_EQ(engine.wake_at, engine.now + 5s);
    engine.tell(engine_event::StopWanted{engine.now});
    EXPECT_EQ(engine.state(), ReplicaState::stopping);
}

TEST_F(EngineFsmTest, AStopEndsAHeldDrain) {
    serve();
    engine.tell(engine_event::DrainWanted{});
    engine.tell(engine_event::StopWanted{engine.now + 30s});
    engine.tell(engine_event::Drained{});
    EXPECT_EQ(engine.state(), ReplicaState::stopping);
    engine.exit(0);
    serve();
}

TEST_F(EngineFsmTest, ADrainWantedDuringTheStartTakesEffectWhenItServes) {
    start();
    engine.tell(engine_event::DrainWanted{});
    EXPECT_EQ(engine.state(), ReplicaState::starting);
    engine.answer(ProbeOutcome::ok);
    EXPECT_EQ(engine.state(), ReplicaState::draining);
}

TEST_F(EngineFsmTest, ASpawnThatFailsAfterAStopIsNoFailure) {
    engine.tell(engine_event::StartWanted{});
    engine.tell(engine_event::StopWanted{engine.now});
    engine.tell(engine_event::SpawnFailed{"no such file"});
    EXPECT_EQ(engine.state(), ReplicaState::stopped);
    EXPECT_EQ(status().failures, 0U);
}

TEST_F(EngineFsmTest, AHangWhileDrainingToStopEndsInTheStop) {
    serve();
    engine.tell(engine_event::StopWanted{engine.now + 600s});
    engine.answer(ProbeOutcome::no_answer, true);
    engine.answer(ProbeOutcome::no_answer, true);
    engine.answer(ProbeOutcome::no_answer, true);
    EXPECT_TRUE(killed(true));
    engine.tell(engine_event::ChildExited{EngineExit{.signal = 9}});
    EXPECT_EQ(engine.state(), ReplicaState::stopped);
}

TEST_F(EngineFsmTest, AfterAKillNoGentlerSignalFollows) {
    serve();
    for (int i = 0; i < 3; ++i) {
        engine.answer(ProbeOutcome::no_answer, true);
    }
    EXPECT_TRUE(killed(true));
    EXPECT_EQ(engine.wake_at, engine.now + 2s);
    engine.expire();
    EXPECT_TRUE(killed(true));
}

TEST_F(EngineFsmTest, AStopWhileAFailureIsEndedRestsAfterwards) {
    serve();
    engine.answer(ProbeOutcome::refused);
    engine.tell(engine_event::StopWanted{engine.now});
    EXPECT_FALSE(engine.asked_for<engine_action::Kill>()) << "it is being ended already";
    engine.exit(1);
    EXPECT_EQ(engine.state(), ReplicaState::stopped);
}

TEST_F(EngineFsmTest, AnswersThatComeAfterTheStopChangeNothing) {
    serve();
    const std::uint64_t probe = engine.next_probe->probe;
    engine.tell(engine_event::StopWanted{engine.now});
    engine.tell(engine_event::Probed{probe, ProbeOutcome::ok, false, {}});
    EXPECT_TRUE(engine.actions.empty());
    EXPECT_EQ(engine.state(), ReplicaState::stopping);
}

TEST_F(EngineFsmTest, ADaemonThatLeavesLetsTheEngineRunAndStartsNoOther) {
    serve();
    engine.tell(engine_event::LeaveWanted{});
    EXPECT_TRUE(engine.actions.empty());
    engine.tell(engine_event::Drained{});
    EXPECT_EQ(engine.state(), ReplicaState::ready);
    engine.exit(1);
    EXPECT_EQ(engine.state(), ReplicaState::stopped);
    EXPECT_FALSE(engine.asked_for<engine_action::Spawn>());
}

TEST_F(EngineFsmTest, ADaemonThatLeavesStartsNothingThatWaitsForItsRestart) {
    start();
    engine.exit(1);
    ASSERT_EQ(engine.state(), ReplicaState::backing_off);
    engine.tell(engine_event::LeaveWanted{});
    EXPECT_EQ(engine.state(), ReplicaState::stopped);
    engine.tell(engine_event::StartWanted{});
    engine.tell(engine_event::LeaveWanted{});
    engine.tell(engine_event::SpawnFailed{"no such file"});
    EXPECT_EQ(engine.state(), ReplicaState::stopped);
}

TEST_F(EngineFsmTest, OnlyARestingMachineAdopts) {
    serve();
    engine.tell(engine_event::Adopted{4242});
    EXPECT_TRUE(engine.actions.empty());
    EXPECT_NE(status().pid, 4242);
}

TEST_F(EngineFsmTest, AnAdoptedProcessThatIsNotOursIsEndedAndReplaced) {
    engine.tell(engine_event::Adopted{4242});
    engine.answer(ProbeOutcome::wrong_child);
    EXPECT_TRUE(killed(false));
    engine.tell(engine_event::ChildExited{EngineExit{.known = false}});
    EXPECT_TRUE(engine.asked_for<engine_action::Spawn>());
}

TEST_F(EngineFsmTest, AnAdoptedProcessThatNeverServesIsGivenUp) {
    engine.tell(engine_event::Adopted{4242});
    engine.answer(ProbeOutcome::refused);
    engine.expire();
    EXPECT_EQ(engine.state(), ReplicaState::stopping);
    EXPECT_EQ(status().last_error, "not ready within 600 s");
}

}  // namespace
}  // namespace orch::node::lifecycle
