#include "api/node_views.hpp"

#include "api/openai.hpp"
#include "base/json.hpp"

#include <gtest/gtest.h>

namespace orch::api {
namespace {

NodeInfo silent_node() {
    NodeInfo node;
    node.node_id = NodeId("n");
    node.status = NodeStatus::offline;
    return node;
}

TEST(NodeViews, WriteEveryKeyOfANode) {
    const auto tree = json::parse(to_json(silent_node()));
    ASSERT_TRUE(tree);
    for (const char* key :
         {"node_id",
          "machine_id",
          "address",
          "status",
          "online",
          "reachable",
          "unreachable_reason",
          "registered_at_ms",
          "last_heartbeat_ms",
          "heartbeat_age_ms",
          "capabilities",
          "labels",
          "version",
          "pools",
          "models",
          "gpus"}) {
        EXPECT_TRUE(tree->as_object().contains(key)) << key;
    }
    EXPECT_EQ(tree->at("status").as_string(), "Offline");
    EXPECT_TRUE(tree->at("last_heartbeat_ms").is_null());
}

TEST(NodeViews, WriteEveryKeyOfANodesPool) {
    PoolStatus pool;
    pool.pool_id = PoolId("p");
    const auto tree = json::parse(to_json(pool));
    for (const char* key :
         {"pool_id",
          "live",
          "ready",
          "draining",
          "slots_total",
          "slots_free",
          "active_leases",
          "engine",
          "engine_version",
          "device_mask",
          "vram_total_bytes",
          "vram_free_bytes",
          "loadable",
          "vram_need_bytes",
          "replicas",
          "last_error"}) {
        EXPECT_TRUE(tree->as_object().contains(key)) << key;
    }
}

TEST(NodeViews, CountLists) {
    const auto nodes = from_json<NodeList>(to_json(make_list({silent_node(), silent_node()})));
    ASSERT_TRUE(nodes);
    EXPECT_EQ(nodes->count, 2U);
    EXPECT_EQ(nodes->nodes.at(1).status, NodeStatus::offline);
    EXPECT_EQ(to_json(make_list(std::vector<PoolInfo>{})), R"({"pools":[],"count":0})");
    EXPECT_EQ(to_json(make_list(std::vector<PoolStatus>{})), R"({"pools":[],"count":0})");
}

TEST(NodeViews, RefuseOtherAnswers) {
    EXPECT_FALSE(from_json<NodeList>("{}"));
    EXPECT_FALSE(from_json<NodeList>(R"({"nodes":[{"node_id":""}]})"));
    EXPECT_FALSE(from_json<PoolStatus>(R"({"live":true})"));
    EXPECT_FALSE(from_json<PoolInfo>(R"({"pool_id":"p"})"));
    EXPECT_FALSE(from_json<NodeInfo>(R"({"error":"unknown"})"));
}

TEST(NodeViews, TakeTheEarlierStatus) {
    const auto pool = from_json<PoolStatus>(R"({"pool_id":"p","live":true,"ready":true})");
    ASSERT_TRUE(pool);
    EXPECT_TRUE(pool->ready);
    EXPECT_EQ(pool->slots_total, 0U);
}

TEST(NodeViews, CarryReplicasThrough) {
    PoolInfo pool;
    pool.node_id = NodeId("n");
    pool.pool_id = PoolId("p");
    ReplicaReport replica;
    replica.replica_id = ReplicaId("r0");
    replica.state = "broken";
    replica.last_error = "exit status 1";
    pool.replicas = {replica};
    const auto list = from_json<PoolList>(to_json(make_list({pool})));
    ASSERT_TRUE(list);
    EXPECT_EQ(list->pools.at(0).replicas.at(0).last_error, "exit status 1");
}

TEST(ModelList, LooksLikeOpenAi) {
    ModelEntry entry;
    entry.id = "qwen";
    entry.created = 5;
    entry.llorch = {2, 1, 8192};
    ModelList list;
    list.data = {entry};
    EXPECT_EQ(
        to_json(list),
        R"({"object":"list","data":[{"id":"qwen","object":"model","created":5,)"
        R"("owned_by":"llama-orch","llorch":{"ready_pools":2,"nodes":1,"ctx":8192}}]})"
    );
    const auto again = from_json<ModelList>(to_json(list));
    ASSERT_TRUE(again);
    EXPECT_EQ(again->data.at(0).llorch.ready_pools, 2U);
}

}  // namespace
}  // namespace orch::api
