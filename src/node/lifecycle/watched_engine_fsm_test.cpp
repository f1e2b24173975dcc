#include "node/lifecycle/watched_engine_fsm.hpp"

#include "node/lifecycle/engine_machine_harness.hpp"

#include <gtest/gtest.h>

namespace orch::node::lifecycle {
namespace {

using namespace std::chrono_literals;

class WatchedEngineFsmTest : public testing::Test {
public:
    void serve() {
        engine.tell(engine_event::StartWanted{});
        engine.answer(ProbeOutcome::ok);
    }

    EngineMachineHarness<WatchedEngineFsm> engine{WatchedEngineFsm(EngineConfig{})};
};

TEST_F(WatchedEngineFsmTest, AsksAtOnceAndThenEveryTwoSeconds) {
    engine.tell(engine_event::StartWanted{});
    EXPECT_EQ(engine.state(), ReplicaState::starting);
    EXPECT_EQ(engine.next_probe->at, engine.now);
    engine.answer(ProbeOutcome::loading);
    EXPECT_EQ(engine.state(), ReplicaState::loading);
    EXPECT_EQ(engine.next_probe->at, engine.now + 2s);
    engine.answer(ProbeOutcome::ok);
    EXPECT_EQ(engine.state(), ReplicaState::ready);
    EXPECT_TRUE(engine.asked_for<engine_action::Publish>());
}

TEST_F(WatchedEngineFsmTest, IsNeitherSpawnedNorKilled) {
    serve();
    engine.tell(engine_event::Spawned{7});
    EXPECT_TRUE(engine.actions.empty());
    engine.answer(ProbeOutcome::refused);
    EXPECT_FALSE(engine.asked_for<engine_action::Kill>());
    EXPECT_FALSE(engine.asked_for<engine_action::Spawn>());
    engine.tell(engine_event::StopWanted{engine.now});
    EXPECT_FALSE(engine.asked_for<engine_action::Kill>());
    EXPECT_EQ(engine.state(), ReplicaState::stopped);
}

TEST_F(WatchedEngineFsmTest, ComesBackWhenItAnswersAgain) {
    serve();
    engine.answer(ProbeOutcome::refused);
    EXPECT_EQ(engine.state(), ReplicaState::backing_off);
    EXPECT_EQ(engine.fsm.status().last_error, "nothing listens there");
    engine.answer(ProbeOutcome::refused);
    EXPECT_FALSE(engine.asked_for<engine_action::Publish>());
    engine.answer(ProbeOutcome::ok);
    EXPECT_EQ(engine.state(), ReplicaState::ready);
    EXPECT_EQ(engine.fsm.status().last_error, "");
}

TEST_F(WatchedEngineFsmTest, IsLostAfterThreeSilences) {
    serve();
    engine.answer(ProbeOutcome::no_answer);
    engine.answer(ProbeOutcome::failing);
    EXPECT_EQ(engine.state(), ReplicaState::ready);
    engine.answer(ProbeOutcome::no_answer);
    EXPECT_EQ(engine.state(), ReplicaState::backing_off);
    EXPECT_TRUE(engine.asked_for<engine_action::Publish>());
    engine.answer(ProbeOutcome::no_answer);
    EXPECT_FALSE(engine.asked_for<engine_action::Publish>());
}

TEST_F(WatchedEngineFsmTest, DrainsBeforeItIsLetGo) {
    serve();
    engine.tell(engine_event::StopWanted{engine.now + 30s});
    EXPECT_EQ(engine.state(), ReplicaState::draining);
    engine.answer(ProbeOutcome::ok);
    EXPECT_EQ(engine.state(), ReplicaState::draining);
    engine.tell(engine_event::Drained{});
    EXPECT_EQ(engine.state(), ReplicaState::stopped);
}

TEST_F(WatchedEngineFsmTest, ClosesWhatIsLeftAtTheDeadline) {
    serve();
    engine.tell(engine_event::StopWanted{engine.now + 30s});
    engine.expire();
    EXPECT_EQ(engine.state(), ReplicaState::stopped);
    EXPECT_TRUE(engine.asked_for<engine_action::CloseUpstreams>());
    EXPECT_FALSE(engine.asked_for<engine_action::ProbeAt>());
}

TEST_F(WatchedEngineFsmTest, AHeldDrainIsTakenBackByAStart) {
    serve();
    engine.tell(engine_event::DrainWanted{});
    engine.tell(engine_event::Drained{});
    EXPECT_EQ(engine.state(), ReplicaState::draining);
    engine.answer(ProbeOutcome::refused);
    engine.answer(ProbeOutcome::ok);
    EXPECT_EQ(engine.state(), ReplicaState::draining);
    engine.tell(engine_event::StartWanted{});
    EXPECT_EQ(engine.state(), ReplicaState::ready);
}

TEST_F(WatchedEngineFsmTest, AStopBeforeItServesIsAtOnce) {
    engine.tell(engine_event::StartWanted{});
    engine.tell(engine_event::StopWanted{engine.now + 30s});
    EXPECT_EQ(engine.state(), ReplicaState::stopped);
    EXPECT_FALSE(engine.asked_for<engine_action::CloseUpstreams>());
    engine.answer(ProbeOutcome::ok);
    EXPECT_TRUE(engine.actions.empty()) << "an answer that comes too late starts nothing";
}

TEST_F(WatchedEngineFsmTest, AStartTakesAStopBack) {
    serve();
    engine.tell(engine_event::StopWanted{engine.now + 30s});
    engine.tell(engine_event::StartWanted{});
    EXPECT_EQ(engine.state(), ReplicaState::ready);
    engine.expire();
    EXPECT_EQ(engine.state(), ReplicaState::ready);
}

TEST_F(WatchedEngineFsmTest, ALossWhileDrainingToStopIsTheStop) {
    serve();
    engine.tell(engine_event::StopWanted{engine.now + 30s});
    engine.answer(ProbeOutcome::refused);
    EXPECT_EQ(engine.state(), ReplicaState::stopped);
    EXPECT_FALSE(engine.asked_for<engine_action::ProbeAt>());
}

TEST_F(WatchedEngineFsmTest, AnotherServerAtItsPlaceIsALoss) {
    serve();
    engine.answer(ProbeOutcome::wrong_child);
    EXPECT_EQ(engine.state(), ReplicaState::backing_off);
    EXPECT_EQ(engine.fsm.status().last_error, "something else serves there: detail");
    EXPECT_FALSE(engine.fsm.status().ready_since);
}

TEST_F(WatchedEngineFsmTest, LoadingAgainIsNotReady) {
    serve();
    engine.answer(ProbeOutcome::loading);
    EXPECT_EQ(engine.state(), ReplicaState::loading);
    EXPECT_TRUE(engine.asked_for<engine_action::Publish>());
    engine.answer(ProbeOutcome::loading);
    EXPECT_FALSE(engine.asked_for<engine_action::Publish>());
}

TEST_F(WatchedEngineFsmTest, IgnoresAnswersToReplacedProbes) {
    serve();
    engine.tell(engine_event::Probed{1, ProbeOutcome::refused, false, {}});
    EXPECT_EQ(engine.state(), ReplicaState::ready);
}

}  // namespace
}  // namespace orch::node::lifecycle
