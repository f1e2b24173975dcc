#include "node/lifecycle/pool_report.hpp"

#include "node/lifecycle/replica_table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace orch::node::lifecycle {
namespace {

using namespace std::chrono_literals;

std::shared_ptr<const PoolView> serving_pool() {
    PoolSpec spec = single_model_pool("/m/qwen.gguf");
    spec.aliases = {"gpt-4o-mini"};
    spec.labels = {{"tier", "fast"}};
    spec.devices = {"0", "1"};
    ReplicaTable table;
    table.put_pool(spec);
    for (const char* id : {"r0", "r1"}) {
        const ReplicaId replica(id);
        table.add_replica(spec.id, replica, 4, false);
        table.bind(spec.id, replica, {.url = "http://127.0.0.1:1", .log_path = "/log"});
    }
    EngineStatus status;
    status.state = ReplicaState::ready;
    status.pid = 77;
    table.set_status(spec.id, ReplicaId("r0"), status, WallTime(5s));
    table.set_facts(
        spec.id, ReplicaId("r0"), {.slots_total = 4, .ctx = 2048, .engine_version = "b42"}
    );
    status.state = ReplicaState::broken;
    status.pid.reset();
    status.last_error = "exit code 1";
    table.set_status(spec.id, ReplicaId("r1"), status, WallTime(9s));
    return table.snapshot()->find(spec.id);
}

TEST(PoolReport, TellsWhatAHeartbeatNeeds) {
    const auto pool = serving_pool();
    ASSERT_TRUE(pool->find(ReplicaId("r0"))->cell->try_claim());
    const api::PoolReport report = make_pool_report(*pool, {.vram_total = 100, .vram_free = 40});
    EXPECT_EQ(report.pool_id.str(), "default");
    EXPECT_TRUE(report.ready);
    EXPECT_EQ(report.slots_total, 4U);
    EXPECT_EQ(report.slots_free, 3U);
    EXPECT_EQ(report.active_leases, 1U);
    EXPECT_EQ(report.engine, "llamacpp");
    EXPECT_EQ(report.engine_version, "b42");
    EXPECT_EQ(report.ctx, 2048U);
    EXPECT_THAT(report.models_available, testing::ElementsAre("qwen", "gpt-4o-mini"));
    EXPECT_EQ(report.device_mask, "0,1");
    EXPECT_EQ(report.vram_total_bytes, 100U);
    EXPECT_EQ(report.vram_free_bytes, 40U);
    EXPECT_EQ(report.labels.at("tier"), "fast");
    EXPECT_EQ(report.last_error, "exit code 1");
    api::HeartbeatRequest beat;
    beat.timestamp = "2025-10-01T12:00:00Z";
    beat.pools = {report};
    EXPECT_TRUE(api::validate(beat));
}

TEST(PoolReport, TellsAboutEachReplica) {
    const api::PoolReport report = make_pool_report(*serving_pool(), {});
    ASSERT_EQ(report.replicas.size(), 2U);
    EXPECT_EQ(report.replicas[0].state, "ready");
    EXPECT_EQ(report.replicas[0].pid, 77);
    EXPECT_EQ(report.replicas[0].since_ms, 5000);
    EXPECT_EQ(report.replicas[0].last_error, std::nullopt);
    EXPECT_EQ(report.replicas[1].state, api::kReplicaBroken);
    EXPECT_EQ(report.replicas[1].slots_free, 0U);
    EXPECT_EQ(report.replicas[1].log_path, "/log");
}

TEST(PoolStatus, TellsTheSameToTheNodesOwnApi) {
    const api::PoolStatus status =
        make_pool_status(*serving_pool(), {.vram_total = 7, .vram_free = 3});
    EXPECT_TRUE(status.live);
    EXPECT_TRUE(status.ready);
    EXPECT_EQ(status.slots_total, 4U);
    EXPECT_EQ(status.vram_free_bytes, 3U);
    EXPECT_EQ(status.replicas.size(), 2U);
}

// Two replicas at rest, on a node that starts engines.
struct RestingPool : testing::Test {
    const PoolId pool{"default"};
    const ReplicaId r0{"r0"};
    const ReplicaId r1{"r1"};
    ReplicaTable table;

    RestingPool() {
        table.put_pool(single_model_pool("/m/qwen.gguf"));
        table.add_replica(pool, r0, 4, false);
        table.add_replica(pool, r1, 4, false);
        table.set_replica_vram(pool, 5 * kGiB);
        table.set_startable(true);
    }

    api::PoolReport report() { return make_pool_report(*table.snapshot()->find(pool), {}); }

    bool loadable() { return report().loadable; }

    void enter(const ReplicaId& replica, ReplicaState state) {
        EngineStatus status;
        status.state = state;
        table.set_status(pool, replica, status, WallTime(1s));
    }
};

TEST_F(RestingPool, IsLoadableAndSaysWhatAllOfItTakes) {
    EXPECT_TRUE(loadable());
    EXPECT_EQ(report().vram_need_bytes, 10 * kGiB);
    const api::PoolStatus status = make_pool_status(*table.snapshot()->find(pool), {});
    EXPECT_TRUE(status.loadable);
    EXPECT_EQ(status.vram_need_bytes, 10 * kGiB);
    EXPECT_FALSE(status.live);
}

TEST_F(RestingPool, IsNotLoadableOnceAReplicaIsAnythingElse) {
    for (const ReplicaState state :
         {ReplicaState::starting,
          ReplicaState::loading,
          ReplicaState::ready,
          ReplicaState::draining,
          ReplicaState::stopping,
          ReplicaState::backing_off,
          ReplicaState::broken}) {
        enter(r1, state);
        EXPECT_FALSE(loadable()) << to_string(state);
        EXPECT_EQ(report().vram_need_bytes, 0U) << to_string(state);
    }
    enter(r1, ReplicaState::stopped);
    EXPECT_TRUE(loadable());
}

TEST_F(RestingPool, IsNotLoadableWhileItIsDrained) {
    table.set_draining(pool, true);
    EXPECT_FALSE(loadable());
    table.set_draining(pool, false);
    EXPECT_TRUE(loadable());
}

TEST_F(RestingPool, IsNotLoadableOnANodeThatStartsNothing) {
    table.set_startable(false);
    EXPECT_FALSE(loadable());
    table.put_pool(single_model_pool("/m/other.gguf"));
    EXPECT_FALSE(loadable());
    table.set_startable(true);
    EXPECT_TRUE(loadable());
}

TEST_F(RestingPool, IsNotLoadableOnceAReplicaIsGivenUp) {
    table.give_up(pool, r1, "no llama-server was found", WallTime(1s));
    EXPECT_FALSE(loadable());
    EXPECT_EQ(report().last_error, "no llama-server was found");
    EXPECT_EQ(report().replicas[1].state, api::kReplicaStopped);
}

TEST_F(RestingPool, IsNotLoadableWhenItsEngineIsSomebodyElses) {
    table.add_replica(pool, ReplicaId("provisioned"), 4, true);
    EXPECT_FALSE(loadable());
    table.remove_replica(pool, ReplicaId("provisioned"));
    EXPECT_TRUE(loadable());
    table.remove_replica(pool, r0);
    table.remove_replica(pool, r1);
    EXPECT_FALSE(loadable()) << "there is nothing to start";
}

}  // namespace
}  // namespace orch::node::lifecycle
