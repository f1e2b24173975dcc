#include "node/lifecycle/engine_fsm.hpp"

#include "node/lifecycle/engine_fsm_fixture.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace orch::node::lifecycle {
namespace {

using namespace std::chrono_literals;

constexpr const char* kPortTaken =
    "main: couldn't bind HTTP server socket, hostname: 127.0.0.1, port: 31337\n";

TEST_F(EngineFsmTest, RestsUntilAStartIsWanted) {
    EXPECT_EQ(engine.state(), ReplicaState::stopped);
    engine.tell(engine_event::TimerExpired{});
    engine.exit(0);
    EXPECT_TRUE(engine.actions.empty());
    engine.tell(engine_event::StartWanted{});
    EXPECT_EQ(engine.state(), ReplicaState::starting);
    EXPECT_TRUE(engine.asked_for<engine_action::Spawn>());
    EXPECT_TRUE(engine.asked_for<engine_action::Publish>());
}

TEST_F(EngineFsmTest, PassesThroughLoadingToReady) {
    start();
    EXPECT_EQ(status().pid, 101);
    EXPECT_EQ(status().starts, 1U);
    engine.answer(ProbeOutcome::refused);
    EXPECT_EQ(engine.state(), ReplicaState::starting);
    engine.answer(ProbeOutcome::loading);
    EXPECT_EQ(engine.state(), ReplicaState::loading);
    EXPECT_FALSE(engine.asked_for<engine_action::WriteHandoff>());
    engine.answer(ProbeOutcome::ok);
    EXPECT_EQ(engine.state(), ReplicaState::ready);
    EXPECT_TRUE(engine.asked_for<engine_action::WriteHandoff>());
    EXPECT_TRUE(engine.asked_for<engine_action::Publish>());
    EXPECT_EQ(status().ready_since, engine.now);
}

TEST_F(EngineFsmTest, ProbesEagerlyFirstThenCalmly) {
    start();
    EXPECT_EQ(engine.next_probe->at, engine.now + 100ms);
    engine.answer(ProbeOutcome::refused);
    EXPECT_EQ(engine.next_probe->at, engine.now + 100ms);
    engine.now += 5s;
    engine.answer(ProbeOutcome::loading);
    EXPECT_EQ(engine.next_probe->at, engine.now + 500ms);
    engine.answer(ProbeOutcome::ok);
    EXPECT_EQ(engine.next_probe->at, engine.now + 2s);
}

TEST_F(EngineFsmTest, WaitsForASlowLoadAndThenGivesUp) {
    start();
    for (int i = 0; i < 1000; ++i) {
        engine.answer(ProbeOutcome::loading);
    }
    EXPECT_EQ(engine.state(), ReplicaState::loading);
    engine.expire();
    EXPECT_EQ(engine.state(), ReplicaState::stopping);
    EXPECT_TRUE(killed(false));
    EXPECT_EQ(status().last_error, "not ready within 600 s");
    engine.tell(engine_event::ChildExited{EngineExit{.signal = 15}});
    EXPECT_EQ(engine.state(), ReplicaState::backing_off);
    EXPECT_EQ(status().last_error, "not ready within 600 s");
}

TEST_F(EngineFsmTest, ReportsWhyAStartFailed) {
    start();
    engine.exit(1, "load\nllama_model_load: error loading model: bad magic\nexiting\n");
    EXPECT_EQ(engine.state(), ReplicaState::backing_off);
    EXPECT_EQ(
        status().last_error,
        "exit code 1 (model_error): llama_model_load: error loading model: bad magic"
    );
    EXPECT_FALSE(status().pid);
}

TEST_F(EngineFsmTest, BacksOffWhenThePlatformRefusesToSpawn) {
    engine.tell(engine_event::StartWanted{});
    engine.tell(engine_event::SpawnFailed{"no such file"});
    EXPECT_EQ(engine.state(), ReplicaState::backing_off);
    EXPECT_EQ(status().last_error, "cannot be started: no such file");
    EXPECT_EQ(engine.wake_at, engine.now + 1s);
}

TEST_F(EngineFsmTest, DoublesTheDelayAndThenOpensTheCircuit) {
    start();
    engine.exit(1);
    std::vector<Duration> delays{*engine.wake_at - engine.now};
    while (engine.state() == ReplicaState::backing_off) {
        fail_once();
        delays.push_back(*engine.wake_at - engine.now);
    }
    EXPECT_EQ(delays, (std::vector<Duration>{1s, 2s, 4s, 8s, 300s}));
    EXPECT_EQ(engine.state(), ReplicaState::broken);
    EXPECT_EQ(status().failures, 5U);
    fail_once();
    EXPECT_EQ(engine.state(), ReplicaState::broken);
    EXPECT_EQ(*engine.wake_at - engine.now, Duration(300s));
}

TEST_F(EngineFsmTest, ForgivesFailuresOnceItServedForLong) {
    start();
    engine.exit(1);
    fail_once();
    engine.expire();
    engine.tell(engine_event::Spawned{++pid});
    engine.answer(ProbeOutcome::ok);
    EXPECT_EQ(status().failures, 2U);
    engine.now += 299s;
    engine.answer(ProbeOutcome::ok);
    EXPECT_EQ(status().failures, 2U);
    engine.answer(ProbeOutcome::ok);
    EXPECT_EQ(status().failures, 0U);
    engine.exit(139);
    EXPECT_EQ(status().failures, 1U);
    EXPECT_EQ(*engine.wake_at - engine.now, Duration(1s));
}

TEST_F(EngineFsmTest, CountsOnWhenItDiesSoonAfterReady) {
    start();
    engine.exit(1);
    engine.expire();
    engine.tell(engine_event::Spawned{++pid});
    engine.answer(ProbeOutcome::ok);
    engine.exit(1);
    EXPECT_EQ(status().failures, 2U);
    EXPECT_EQ(*engine.wake_at - engine.now, Duration(2s));
}

TEST_F(EngineFsmTest, AnOperatorsStartClosesTheCircuit) {
    start();
    engine.exit(1);
    while (engine.state() == ReplicaState::backing_off) {
        fail_once();
    }
    engine.tell(engine_event::StartWanted{});
    EXPECT_EQ(engine.state(), ReplicaState::starting);
    EXPECT_EQ(status().failures, 0U);
    engine.tell(engine_event::Spawned{++pid});
    engine.exit(1);
    EXPECT_EQ(engine.state(), ReplicaState::backing_off);
}

TEST_F(EngineFsmTest, ALostPortCostsOneRestartAtOnce) {
    start();
    engine.exit(1, kPortTaken);
    EXPECT_EQ(engine.state(), ReplicaState::starting);
    EXPECT_TRUE(engine.asked_for<engine_action::Spawn>());
    EXPECT_EQ(status().failures, 0U);
    engine.tell(engine_event::Spawned{++pid});
    engine.exit(1, kPortTaken);
    EXPECT_EQ(engine.state(), ReplicaState::backing_off);
    EXPECT_EQ(status().failures, 1U);
}

TEST_F(EngineFsmTest, AStrangerAtThePortIsNeverTakenForTheEngine) {
    start();
    engine.answer(ProbeOutcome::wrong_child);
    EXPECT_EQ(engine.state(), ReplicaState::stopping);
    EXPECT_TRUE(killed(false));
    engine.exit(1);
    EXPECT_EQ(engine.state(), ReplicaState::starting);
    EXPECT_TRUE(engine.asked_for<engine_action::Spawn>());
    engine.tell(engine_event::Spawned{++pid});
    engine.answer(ProbeOutcome::wrong_child);
    engine.exit(1);
    EXPECT_EQ(engine.state(), ReplicaState::backing_off);
}

TEST_F(EngineFsmTest, ServingForgivesTheNextPortRace) {
    start();
    engine.exit(1, kPortTaken);
    engine.tell(engine_event::Spawned{++pid});
    engine.answer(ProbeOutcome::ok);
    engine.exit(1);
    engine.expire();
    engine.tell(engine_event::Spawned{++pid});
    engine.exit(1, kPortTaken);
    EXPECT_EQ(engine.state(), ReplicaState::starting);
}

TEST_F(EngineFsmTest, IsNotReadyTheMomentItDies) {
    serve();
    engine.tell(engine_event::ChildExited{EngineExit{.signal = 9}});
    EXPECT_EQ(engine.state(), ReplicaState::backing_off);
    EXPECT_TRUE(engine.asked_for<engine_action::Publish>());
    EXPECT_EQ(status().last_error, "signal 9");
    EXPECT_FALSE(status().ready_since);
}

TEST_F(EngineFsmTest, StartsAgainEvenAfterACleanExitNobodyAskedFor) {
    serve();
    engine.exit(0);
    EXPECT_EQ(engine.state(), ReplicaState::backing_off);
}

TEST_F(EngineFsmTest, OneBadAnswerIsForgivenAndThreeAreNot) {
    serve();
    engine.answer(ProbeOutcome::failing);
    engine.answer(ProbeOutcome::failing);
    engine.answer(ProbeOutcome::ok);
    engine.answer(ProbeOutcome::failing);
    engine.answer(ProbeOutcome::failing);
    EXPECT_EQ(engine.state(), ReplicaState::ready);
    engine.answer(ProbeOutcome::failing);
    EXPECT_EQ(engine.state(), ReplicaState::stopping);
    EXPECT_EQ(status().last_error, "bad answers to 3 probes: detail");
}

TEST_F(EngineFsmTest, AClosedListenerEndsTheEngine) {
    serve();
    engine.answer(ProbeOutcome::refused);
    EXPECT_EQ(engine.state(), ReplicaState::stopping);
    EXPECT_TRUE(killed(false));
    engine.exit(0);
    EXPECT_EQ(engine.state(), ReplicaState::backing_off);
    EXPECT_EQ(status().last_error, "it listens no more");
}

TEST_F(EngineFsmTest, LoadingAgainIsNotReady) {
    serve();
    engine.answer(ProbeOutcome::loading);
    EXPECT_EQ(engine.state(), ReplicaState::loading);
    EXPECT_EQ(engine.wake_at, engine.now + 600s);
    engine.answer(ProbeOutcome::ok);
    EXPECT_EQ(engine.state(), ReplicaState::ready);
}

TEST_F(EngineFsmTest, AnAdoptedEngineServesAfterItsFirstGoodProbe) {
    engine.tell(engine_event::Adopted{4242});
    EXPECT_EQ(engine.state(), ReplicaState::starting);
    EXPECT_EQ(engine.next_probe->at, engine.now);
    engine.answer(ProbeOutcome::ok);
    EXPECT_EQ(engine.state(), ReplicaState::ready);
    EXPECT_EQ(status().pid, 4242);
    EXPECT_EQ(status().starts, 0U);
    engine.tell(engine_event::ChildExited{EngineExit{.known = false}});
    EXPECT_EQ(engine.state(), ReplicaState::backing_off);
    EXPECT_EQ(status().last_error, "ended");
}

TEST_F(EngineFsmTest, SaysInOneWordWhatFailedUntilItServesAgain) {
    engine.tell(engine_event::StartWanted{});
    engine.tell(engine_event::SpawnFailed{"no such file"});
    EXPECT_EQ(status().crash, CrashReason::spawn_failed);
    EXPECT_EQ(status().backoff, std::chrono::seconds(1));
    engine.expire();
    EXPECT_EQ(status().backoff, Duration{});
    engine.tell(engine_event::Spawned{++pid});
    engine.exit(1, "CUDA error: no kernel image");
    EXPECT_EQ(status().crash, CrashReason::cuda_error);
    engine.expire();
    engine.tell(engine_event::Spawned{++pid});
    engine.answer(ProbeOutcome::ok);
    EXPECT_EQ(status().crash, std::nullopt);
    for (int i = 0; i < 3; ++i) {
        engine.answer(ProbeOutcome::no_answer, true);
    }
    engine.exit(0);
    EXPECT_EQ(status().crash, CrashReason::hung);
}

TEST_F(EngineFsmTest, AnOpenCircuitClosesWhenItServesOrSomebodyStartsIt) {
    start();
    engine.exit(1);
    while (!status().circuit_open) {
        fail_once();
    }
    EXPECT_EQ(engine.state(), ReplicaState::broken);
    engine.expire();
    EXPECT_TRUE(status().circuit_open);
    engine.tell(engine_event::Spawned{++pid});
    engine.answer(ProbeOutcome::ok);
    EXPECT_FALSE(status().circuit_open);
    engine.exit(1);
    while (!status().circuit_open) {
        fail_once();
    }
    engine.tell(engine_event::StartWanted{});
    EXPECT_FALSE(status().circuit_open);
    EXPECT_EQ(status().crash, std::nullopt);
}

TEST_F(EngineFsmTest, IgnoresAnswersToReplacedProbes) {
    start();
    const std::uint64_t stale = engine.next_probe->probe;
    engine.exit(1);
    engine.expire();
    engine.tell(engine_event::Spawned{++pid});
    engine.tell(engine_event::Probed{stale, ProbeOutcome::ok, false, {}});
    EXPECT_EQ(engine.state(), ReplicaState::starting);
    EXPECT_TRUE(engine.actions.empty());
}

TEST_F(EngineFsmTest, JitterMovesTheDelay) {
    Rng chance(7);
    EngineMachineHarness<EngineFsm> jittery{EngineFsm(EngineConfig{}, chance)};
    jittery.tell(engine_event::StartWanted{});
    jittery.tell(engine_event::SpawnFailed{"x"});
    const Duration delay = *jittery.wake_at - jittery.now;
    EXPECT_NE(delay, Duration(1s));
    EXPECT_GE(delay, Duration(900ms));
    EXPECT_LE(delay, Duration(1100ms));
}

// Whatever happens in whatever order: a ready engine has a process, a stopped one has none, and
// something is always awaited.
TEST_F(EngineFsmTest, NeverGetsStuckInARandomLife) {
    Rng chance(42);
    EngineMachineHarness<EngineFsm> any{EngineFsm(EngineConfig{}, chance)};
    for (int step = 0; step < 20'000; ++step) {
        any.now += Duration(chance.below(3'000'000'000));
        const bool alive = any.fsm.status().pid.has_value();
        switch (chance.below(9)) {
            case 0:
                any.tell(engine_event::StartWanted{});
                break;
            case 1:
                any.tell(
                    engine_event::StopWanted{any.now + Duration(chance.below(9)) * 1'000'000'000}
                );
                break;
            case 2:
                any.tell(engine_event::Spawned{step + 1});
                break;
            case 3:
                any.tell(engine_event::SpawnFailed{"x"});
                break;
            case 4:
                if (alive) {
                    any.exit(static_cast<int>(chance.below(2)));
                }
                break;
            case 5:
                any.tell(engine_event::Drained{});
                break;
            case 6:
                if (any.next_probe && alive) {
                    any.answer(static_cast<ProbeOutcome>(chance.below(6)), chance.below(2) == 0);
                }
                break;
            case 7:
                any.tell(engine_event::DrainWanted{});
                break;
            default:
                any.tell(engine_event::TimerExpired{});
                break;
        }
        const EngineStatus& now = any.fsm.status();
        if (now.state == ReplicaState::ready || now.state == ReplicaState::draining) {
            ASSERT_TRUE(now.pid && now.ready_since) << step;
            ASSERT_TRUE(any.next_probe) << step;
        }
        if (now.state == ReplicaState::stopped || now.state == ReplicaState::backing_off) {
            ASSERT_FALSE(now.pid) << step;
        }
    }
    EXPECT_GT(any.fsm.status().starts, 100U);
}

}  // namespace
}  // namespace orch::node::lifecycle
