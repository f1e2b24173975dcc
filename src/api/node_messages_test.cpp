#include "api/node_messages.hpp"

#include "base/json.hpp"

#include <gtest/gtest.h>

namespace orch::api {
namespace {

template <class Message>
std::string complaint(const std::string& text) {
    const auto message = from_json<Message>(text);
    EXPECT_FALSE(message) << text;
    if (message) {
        return {};
    }
    EXPECT_EQ(message.error().code, Errc::invalid_params);
    return message.error().message;
}

std::string beat_with(const std::string& pool) {
    return R"({"timestamp":"2025-10-01T00:00:00Z","pools":[)" + pool + "]}";
}

TEST(Register, TakesTheEarlierFormat) {
    const auto message = from_json<RegisterRequest>(
        R"({"node_id":"gpu-1","machine_id":"m-1","address":"http://10.0.0.7:9200",)"
        R"("pools":["pool-0"],"capabilities":{"gpus":[{"device_id":0,"name":"RTX",)"
        R"("vram_total_bytes":25769803776,"compute_capability":"8.6"}]},"later":1})"
    );
    ASSERT_TRUE(message);
    EXPECT_EQ(message->node_id.str(), "gpu-1");
    EXPECT_EQ(message->pools, std::vector{PoolId("pool-0")});
    EXPECT_EQ(message->capabilities.gpus.at(0).vram_total_bytes, 25769803776U);
    EXPECT_FALSE(message->boot_id);
    EXPECT_FALSE(message->api_version);
}

TEST(Register, NeedsIdentityAndAddress) {
    EXPECT_EQ(complaint<RegisterRequest>("{}"), "node_id: is missing");
    EXPECT_EQ(
        complaint<RegisterRequest>(R"({"node_id":"a","machine_id":"b","address":null})"),
        "address: is missing"
    );
    EXPECT_TRUE(
        complaint<RegisterRequest>(R"({"node_id":"a","machine_id":"b","address":"10.0.0.1:9200"})")
            .starts_with("address: must be http://")
    );
    EXPECT_TRUE(
        complaint<RegisterRequest>(R"({"node_id":"a b","machine_id":"b","address":"http://x:1"})")
            .starts_with("node_id: ")
    );
    EXPECT_TRUE(complaint<RegisterRequest>(
                    R"({"node_id":"a","machine_id":"b","address":"http://x:1","pools":["p","/"]})"
    )
                    .starts_with("pools[1]: "));
}

TEST(Heartbeat, NeedsFourFieldsOnly) {
    const auto message =
        from_json<HeartbeatRequest>(beat_with(R"({"pool_id":"p","ready":true,"slots_free":3})"));
    ASSERT_TRUE(message);
    const PoolReport& pool = message->pools.at(0);
    EXPECT_TRUE(pool.ready);
    EXPECT_FALSE(pool.draining);
    EXPECT_EQ(pool.slots_free, 3U);
    EXPECT_EQ(pool.slots_total, 3U);
    EXPECT_EQ(pool.vram_free_bytes, 0U);
    EXPECT_FALSE(pool.active_leases);
    EXPECT_FALSE(message->seq);
    EXPECT_FALSE(message->models);
}

TEST(Heartbeat, NamesEachMissingField) {
    EXPECT_EQ(complaint<HeartbeatRequest>(R"({"pools":[]})"), "timestamp: is missing");
    EXPECT_EQ(
        complaint<HeartbeatRequest>(beat_with(R"({"ready":true,"slots_free":1})")),
        "pools[0].pool_id: is missing"
    );
    EXPECT_EQ(
        complaint<HeartbeatRequest>(beat_with(
            R"({"pool_id":"a","ready":true,"slots_free":1},{"pool_id":"b","slots_free":1})"
        )),
        "pools[1].ready: is missing"
    );
    EXPECT_EQ(
        complaint<HeartbeatRequest>(beat_with(R"({"pool_id":"a","ready":true})")),
        "pools[0].slots_free: is missing"
    );
}

TEST(Heartbeat, KeepsAbsentAndZeroApart) {
    const auto zero = from_json<HeartbeatRequest>(beat_with(
        R"({"pool_id":"p","ready":true,"slots_free":0,"slots_total":0,"active_leases":0})"
    ));
    ASSERT_TRUE(zero);
    EXPECT_EQ(zero->pools[0].slots_total, 0U);
    EXPECT_EQ(zero->pools[0].active_leases, 0U);
    const auto empty = from_json<HeartbeatRequest>(R"({"timestamp":"t","models":[]})");
    ASSERT_TRUE(empty);
    EXPECT_TRUE(empty->models);
}

TEST(Heartbeat, RefusesImpossibleFigures) {
    EXPECT_EQ(
        complaint<HeartbeatRequest>(
            beat_with(R"({"pool_id":"p","ready":true,"slots_free":3,"slots_total":2})")
        ),
        "pools[0].slots_free: must be at most slots_total"
    );
    for (const char* pool :
         {R"({"pool_id":"p","ready":true,"slots_free":-1})",
          R"({"pool_id":"p","ready":true,"slots_free":70000})",
          R"({"pool_id":"p","ready":"yes","slots_free":1})",
          R"({"pool_id":"p","ready":true,"slots_free":1.5})",
          R"({"pool_id":"p/q","ready":true,"slots_free":1})",
          R"({"pool_id":"p","ready":true,"slots_free":1,"kind":"audio"})",
          R"({"pool_id":"p","ready":true,"slots_free":1,"models_available":[""]})",
          R"({"pool_id":"p","ready":true,"slots_free":1,"labels":{"a b":"c"}})",
          R"({"pool_id":"p","ready":true,"slots_free":1,"replicas":[{"state":"ready"}]})"}) {
        EXPECT_TRUE(complaint<HeartbeatRequest>(beat_with(pool)).starts_with("pools[0]")) << pool;
    }
}

TEST(Heartbeat, RefusesOnePoolTwice) {
    const std::string pool = R"({"pool_id":"p","ready":true,"slots_free":1})";
    EXPECT_EQ(
        complaint<HeartbeatRequest>(beat_with(pool + "," + pool)),
        "pools[1].pool_id: must be different for each pool"
    );
}

TEST(Heartbeat, LimitsLists) {
    std::string pools;
    for (int i = 0; i < 300; ++i) {
        pools += (i == 0 ? "" : ",") + std::string(R"({"pool_id":"p)") + std::to_string(i) +
                 R"(","ready":true,"slots_free":1})";
    }
    EXPECT_EQ(
        complaint<HeartbeatRequest>(beat_with(pools)), "pools: must be a list of at most 256"
    );
}

TEST(Heartbeat, LeavesOutWhatWasNotSaid) {
    HeartbeatRequest message;
    message.timestamp = "t";
    PoolReport pool;
    pool.pool_id = PoolId("p");
    message.pools = {pool};
    const auto tree = json::parse(to_json(message));
    EXPECT_FALSE(tree->as_object().contains("seq"));
    EXPECT_FALSE(tree->at("pools").at(0).as_object().contains("active_leases"));
    EXPECT_TRUE(tree->at("pools").at(0).as_object().contains("slots_total"));
}

NodeStatusBody full_status() {
    NodeStatusBody body;
    body.node_id = NodeId("gpu-1");
    body.machine_id = MachineId("m-1");
    body.address = "http://10.0.0.7:9200";
    body.boot_id = "b";
    body.api_version = "1.0";
    body.labels = {{"zone", "a"}};
    body.timestamp = "t";
    body.seq = 7;
    PoolReport pool;
    pool.pool_id = PoolId("chat");
    pool.ready = true;
    pool.slots_free = 1;
    pool.slots_total = 4;
    pool.active_leases = 3;
    pool.served_name = "qwen";
    pool.models_available = {"qwen", "gpt"};
    pool.kind = ModelKind::embedding;
    ReplicaReport replica;
    replica.replica_id = ReplicaId("r0");
    replica.state = "loading";
    replica.load_progress = 0.5;
    pool.replicas = {replica};
    body.pools = {pool};
    body.models = {{"qwen.gguf", std::nullopt, 123, "ready"}};
    body.gpus = {{0, 24, 12, 0.5, 60.0}};
    return body;
}

TEST(NodeStatus, IsRegisterAndHeartbeatInOne) {
    const NodeStatusBody body = full_status();
    const RegisterRequest node = register_part(body);
    const HeartbeatRequest beat = heartbeat_part(body);
    EXPECT_TRUE(validate(node));
    EXPECT_TRUE(validate(beat));
    EXPECT_EQ(node.pools, std::vector{PoolId("chat")});
    EXPECT_EQ(beat.seq, 7U);
    EXPECT_EQ(to_json(make_node_status(node, beat)), to_json(body));
}

TEST(NodeStatus, IsReadBackWhole) {
    const auto again = from_json<NodeStatusBody>(to_json(full_status()));
    ASSERT_TRUE(again);
    EXPECT_EQ(to_json(*again), to_json(full_status()));
    EXPECT_EQ(again->pools.at(0).replicas.at(0).load_progress, 0.5);
    EXPECT_EQ(again->pools.at(0).kind, ModelKind::embedding);
}

TEST(NodeStatus, NeedsNoAddressOfItsOwn) {
    NodeStatusBody body = full_status();
    body.address.clear();
    EXPECT_TRUE(validate(body));
    body.address = "nonsense";
    EXPECT_FALSE(validate(body));
    EXPECT_FALSE(from_json<NodeStatusBody>(R"({"status":"ok","version":"0.1"})"));
}

TEST(NodeAnswers, AreReadWithAndWithoutInterval) {
    const auto earlier =
        from_json<RegisterResponse>(R"({"success":true,"message":"ok","node_id":"n"})");
    ASSERT_TRUE(earlier);
    EXPECT_FALSE(earlier->next_heartbeat_ms);
    const auto beat = from_json<HeartbeatResponse>(R"({"success":true,"next_heartbeat_ms":5000})");
    ASSERT_TRUE(beat);
    EXPECT_EQ(beat->next_heartbeat_ms, 5000U);
    EXPECT_FALSE(from_json<HeartbeatResponse>("{}"));
}

}  // namespace
}  // namespace orch::api
