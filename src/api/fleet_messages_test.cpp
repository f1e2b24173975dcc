#include "api/fleet_messages.hpp"

#include <gtest/gtest.h>

namespace orch::api {
namespace {

PoolInfo ready_pool() {
    PoolInfo pool;
    pool.node_id = NodeId("gpu-1");
    pool.pool_id = PoolId("chat");
    pool.ready = true;
    pool.slots_total = 4;
    pool.slots_free = 1;
    pool.active_leases = 3;
    pool.claimed = 2;
    pool.last_error = "once";
    return pool;
}

TEST(FleetMessages, AStaticNodeIsNamedByAnHttpUrlAndNothingElse) {
    const auto good = from_json<StaticNodeRequest>(R"({"url":"http://10.0.0.7:9200"})");
    ASSERT_TRUE(good);
    EXPECT_EQ(good->url, "http://10.0.0.7:9200");
    for (const char* bad :
         {R"({})",
          R"({"url":7})",
          R"({"url":""})",
          R"({"url":"10.0.0.7:9200"})",
          R"({"url":"file:///etc/passwd"})",
          R"({"url":"http://user:secret@10.0.0.7"})",
          R"({"url":"http://10.0.0.7/v2/node?x"})"}) {
        const auto refused = from_json<StaticNodeRequest>(bad);
        ASSERT_FALSE(refused) << bad;
        EXPECT_EQ(refused.error().code, Errc::invalid_params) << bad;
        EXPECT_TRUE(refused.error().message.starts_with("url: ")) << refused.error().message;
        EXPECT_FALSE(refused.error().message.contains("secret")) << refused.error().message;
    }
}

TEST(FleetMessages, ADrainWaitsForAsLongAsItIsTold) {
    EXPECT_EQ(from_json<DrainRequest>("")->deadline_ms, 0U);
    EXPECT_EQ(from_json<DrainRequest>("{}")->deadline_ms, 0U);
    EXPECT_EQ(from_json<DrainRequest>(R"({"deadline_ms":1500})")->deadline_ms, 1500U);
    EXPECT_EQ(
        from_json<DrainRequest>(R"({"deadline_ms":3600001})").error().message,
        "deadline_ms: must be at most 3600000"
    );
    EXPECT_FALSE(from_json<DrainRequest>(R"({"deadline_ms":-1})"));
}

TEST(FleetMessages, APoolThatIsDrainedIsGivenTimeUnlessItIsTold) {
    EXPECT_EQ(from_json<PoolDrainRequest>("")->deadline_ms, 60'000U);
    EXPECT_EQ(from_json<PoolDrainRequest>("{}")->deadline_ms, 60'000U);
    EXPECT_EQ(from_json<PoolDrainRequest>(R"({"deadline_ms":0})")->deadline_ms, 0U);
    EXPECT_EQ(
        from_json<PoolDrainRequest>(R"({"deadline_ms":3600001})").error().message,
        "deadline_ms: must be at most 3600000"
    );
    const auto refused = from_json<PoolDrainRequest>(R"({"deadline_ms":"soon"})");
    ASSERT_FALSE(refused);
    EXPECT_TRUE(refused.error().message.contains("deadline_ms")) << refused.error().message;
}

TEST(FleetMessages, AReloadNamesTheNewModel) {
    const auto message = from_json<PoolReloadRequest>(R"({"new_model_ref":"/m/b.gguf"})");
    ASSERT_TRUE(message);
    EXPECT_EQ(message->new_model_ref, "/m/b.gguf");
    EXPECT_EQ(message->drain_deadline_ms, 60'000U);
    EXPECT_EQ(from_json<PoolReloadRequest>("{}").error().message, "new_model_ref: is missing");
    EXPECT_FALSE(from_json<PoolReloadRequest>(R"({"new_model_ref":""})"));
    EXPECT_EQ(
        from_json<PoolReloadRequest>(R"({"new_model_ref":"b","drain_deadline_ms":3600001})")
            .error()
            .message,
        "drain_deadline_ms: must be at most 3600000"
    );
}

TEST(FleetMessages, HealthIsWhatTheLastReportSaid) {
    const PoolHealth health = make_pool_health(ready_pool(), true, 7);
    EXPECT_EQ(
        to_json(health),
        R"({"node_id":"gpu-1","pool_id":"chat","live":true,"ready":true,"draining":false,)"
        R"("metrics":{"queue_depth":7,"claimed":2,"active_leases":3,"slots_total":4,)"
        R"("slots_free":1,"vram_free_bytes":0},"last_error":"once"})"
    );
}

TEST(FleetMessages, AnEngineThatLoadsIsLiveAndNotReady) {
    PoolInfo pool = ready_pool();
    pool.ready = false;
    pool.replicas.resize(1);
    pool.replicas[0].state = "loading";
    EXPECT_TRUE(make_pool_health(pool, true, 0).live);
    pool.replicas[0].state = "backing_off";
    EXPECT_FALSE(make_pool_health(pool, true, 0).live);
}

TEST(FleetMessages, NothingOfASilentNodeIsLive) {
    const PoolHealth health = make_pool_health(ready_pool(), false, 0);
    EXPECT_FALSE(health.live);
    EXPECT_FALSE(health.ready);
}

TEST(FleetMessages, WorkIsWhatIsClaimedHereOrLeasedThere) {
    NodeInfo node;
    node.pools = {ready_pool(), ready_pool()};
    node.pools[1].claimed = 4;
    EXPECT_EQ(work_in_progress(node), 3U + 4U);
}

}  // namespace
}  // namespace orch::api
