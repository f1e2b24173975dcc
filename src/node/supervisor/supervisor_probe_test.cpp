#include "node/supervisor/supervisor_probe.hpp"

#include "base/rng.hpp"
#include "node/lifecycle/engine_fsm.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace orch::node::supervisor {
namespace {

using namespace lifecycle;
using testing::HasSubstr;
using testing::Not;

const PoolId kPool("chat");
const ReplicaId kReplica("r0");

// A real machine whose every step is told to the probe, as the runner does.
class SupervisorProbeTest : public testing::Test {
public:
    void tell(const EngineEvent& event) {
        const EngineStatus before = fsm.status();
        for (const EngineAction& action : fsm.resume(event, now)) {
            if (const auto* const wake = std::get_if<engine_action::WakeAt>(&action)) {
                wake_at = wake->at;
            }
            if (const auto* const asked = std::get_if<engine_action::ProbeAt>(&action)) {
                asked_probe = asked->probe;
            }
        }
        probe.changed(kPool, kReplica, before, fsm.status());
    }

    void spawn() { tell(engine_event::Spawned{100}); }

    void answer(ProbeOutcome outcome) {
        tell(engine_event::Probed{asked_probe, outcome, false, {}});
    }

    void die() { tell(engine_event::ChildExited{EngineExit{.code = 1}}); }

    void expire() {
        now = wake_at;
        tell(engine_event::TimerExpired{});
    }

    bool shows(const std::string& line) const { return registry.expose().contains(line + "\n"); }

    EngineConfig config = [] {
        EngineConfig made;
        made.restart.backoff.jitter = 0;
        return made;
    }();
    Rng rng{1};
    EngineFsm fsm{config, rng};
    Instant now = Instant{} + std::chrono::hours(1);
    Instant wake_at{};
    std::uint64_t asked_probe = 0;
    metrics::Registry registry;
    SupervisorProbe probe{registry, NodeId("n1")};
};

const std::string kOf = R"({node_id="n1",pool_id="chat",replica_id="r0")";

TEST_F(SupervisorProbeTest, AFirstStartIsNoRestart) {
    tell(engine_event::StartWanted{});
    spawn();
    answer(ProbeOutcome::loading);
    EXPECT_THAT(registry.expose(), Not(HasSubstr("preload_success_total{")));
    answer(ProbeOutcome::ok);
    answer(ProbeOutcome::ok);
    EXPECT_TRUE(shows(R"(preload_success_total{node_id="n1",pool_id="chat"} 1)"));
    EXPECT_TRUE(shows("circuit_breaker_state" + kOf + "} 0"));
    EXPECT_THAT(registry.expose(), Not(HasSubstr("restart_total{")));
    EXPECT_THAT(registry.expose(), Not(HasSubstr("preload_failure_total{")));
}

TEST_F(SupervisorProbeTest, AnAdoptionIsNoLoad) {
    tell(engine_event::Adopted{100});
    answer(ProbeOutcome::ok);
    EXPECT_TRUE(shows(R"(engine_adopted_total{node_id="n1",pool_id="chat"} 1)"));
    EXPECT_THAT(registry.expose(), Not(HasSubstr("preload_success_total{")));
    die();
    expire();
    spawn();
    answer(ProbeOutcome::ok);
    EXPECT_TRUE(shows(R"(engine_adopted_total{node_id="n1",pool_id="chat"} 1)"));
    EXPECT_TRUE(shows(R"(preload_success_total{node_id="n1",pool_id="chat"} 1)"));
}

TEST_F(SupervisorProbeTest, ADeathWhileServingIsARestartAndNoFailedLoad) {
    tell(engine_event::StartWanted{});
    spawn();
    answer(ProbeOutcome::ok);
    die();
    EXPECT_TRUE(shows("restart_scheduled_total" + kOf + R"(,crash_reason="exited"} 1)"));
    EXPECT_TRUE(shows("backoff_delay_ms" + kOf + "} 1000"));
    EXPECT_THAT(registry.expose(), Not(HasSubstr("restart_total{")));
    EXPECT_THAT(registry.expose(), Not(HasSubstr("preload_failure_total{")));
    expire();
    EXPECT_TRUE(shows("backoff_delay_ms" + kOf + "} 0"));
    spawn();
    EXPECT_TRUE(shows("restart_total" + kOf + R"(,crash_reason="exited"} 1)"));
    answer(ProbeOutcome::ok);
    EXPECT_TRUE(shows(R"(preload_success_total{node_id="n1",pool_id="chat"} 2)"));
}

TEST_F(SupervisorProbeTest, ACrashLoopOpensTheCircuitOnce) {
    tell(engine_event::StartWanted{});
    spawn();
    die();
    for (unsigned i = 0; i < config.restart.breaker_threshold; ++i) {
        expire();
        spawn();
        die();
    }
    EXPECT_TRUE(shows("circuit_breaker_state" + kOf + "} 1"));
    EXPECT_TRUE(shows("circuit_breaker_open_total" + kOf + "} 1"));
    EXPECT_TRUE(
        shows(R"(preload_failure_total{node_id="n1",pool_id="chat",crash_reason="exited"} 6)")
    );
    expire();
    spawn();
    answer(ProbeOutcome::ok);
    EXPECT_TRUE(shows("circuit_breaker_state" + kOf + "} 0"));
}

TEST_F(SupervisorProbeTest, CountsDrainsByReasonAndShowsHowLongTheyTook) {
    probe.drain_began(kPool, DrainReason::request);
    probe.drain_began(kPool, DrainReason::request);
    probe.drain_began(kPool, DrainReason::shutdown);
    probe.drained(kPool, std::chrono::milliseconds(400));
    probe.drained(kPool, std::chrono::minutes(2));
    const std::string name = R"(drain_events_total{node_id="n1",pool_id="chat",reason=)";
    EXPECT_TRUE(shows(name + R"("request"} 2)"));
    EXPECT_TRUE(shows(name + R"("shutdown"} 1)"));
    const std::string took = R"({node_id="n1",pool_id="chat")";
    EXPECT_TRUE(shows("drain_duration_ms_bucket" + took + R"(,le="500"} 1)"));
    EXPECT_TRUE(shows("drain_duration_ms_sum" + took + "} 120400"));
    EXPECT_TRUE(shows("drain_duration_ms_count" + took + "} 2"));
}

TEST_F(SupervisorProbeTest, CountsReloadsByTheirEndAndShowsHowLongThoseThatWentWellTook) {
    probe.drain_began(kPool, DrainReason::reload);
    probe.reloaded(kPool, std::chrono::milliseconds(700));
    probe.reload_failed(kPool, ReloadFailure::drain_timeout);
    probe.reload_failed(kPool, ReloadFailure::start_failed);
    probe.reload_failed(kPool, ReloadFailure::start_failed);
    probe.reload_failed(kPool, ReloadFailure::stopped);
    const std::string of = R"({node_id="n1",pool_id="chat")";
    EXPECT_TRUE(shows("drain_events_total" + of + R"(,reason="reload"} 1)"));
    EXPECT_TRUE(shows("reload_success_total" + of + "} 1"));
    EXPECT_TRUE(shows("reload_failure_total" + of + R"(,reason="drain_timeout"} 1)"));
    EXPECT_TRUE(shows("reload_failure_total" + of + R"(,reason="start_failed"} 2)"));
    EXPECT_TRUE(shows("reload_failure_total" + of + R"(,reason="stopped"} 1)"));
    EXPECT_TRUE(shows("reload_duration_ms_bucket" + of + R"(,le="500"} 0)"));
    EXPECT_TRUE(shows("reload_duration_ms_bucket" + of + R"(,le="1000"} 1)"));
    EXPECT_TRUE(shows("reload_duration_ms_sum" + of + "} 700"));
    EXPECT_TRUE(shows("reload_duration_ms_count" + of + "} 1"));
}

TEST_F(SupervisorProbeTest, CountsProbesByOutcome) {
    for (const auto outcome :
         {ProbeOutcome::ok,
          ProbeOutcome::loading,
          ProbeOutcome::no_answer,
          ProbeOutcome::refused,
          ProbeOutcome::failing}) {
        probe.probed(kPool, outcome);
    }
    const std::string name = R"(pool_health_checks_total{node_id="n1",pool_id="chat",outcome=)";
    EXPECT_TRUE(shows(name + R"("success"} 1)"));
    EXPECT_TRUE(shows(name + R"("loading"} 1)"));
    EXPECT_TRUE(shows(name + R"("timeout"} 1)"));
    EXPECT_TRUE(shows(name + R"("error"} 2)"));
}

TEST_F(SupervisorProbeTest, ShowsTheCacheOfAnEngineForAsLongAsItServes) {
    tell(engine_event::StartWanted{});
    spawn();
    answer(ProbeOutcome::ok);
    EXPECT_THAT(registry.expose(), Not(HasSubstr("kv_cache_usage_ratio{")));
    probe.cache_used(kPool, kReplica, EngineFamily::llamacpp, "b1", 0.25);
    probe.cache_used(kPool, kReplica, EngineFamily::llamacpp, "b2", 0.5);
    EXPECT_THAT(registry.expose(), Not(HasSubstr(R"(engine_version="b1")")));
    EXPECT_TRUE(shows(
        R"(kv_cache_usage_ratio{node_id="n1",engine="llamacpp",engine_version="b2",pool_id="chat",replica_id="r0"} 0.5)"
    ));
    die();
    EXPECT_THAT(registry.expose(), Not(HasSubstr("kv_cache_usage_ratio{")));
}

}  // namespace
}  // namespace orch::node::supervisor
