#include "loopback/control_ring.hpp"

#include <gtest/gtest.h>

namespace orch::loopback {
namespace {

using ControlNodes = ControlRing;

TEST_F(ControlNodes, ANodeThatAnswersAtItsAddressIsOnlineAndReachable) {
    start();
    FakeNode& node = make_node("gpu-1");
    const Answer registered = register_node(node);
    EXPECT_EQ(registered.status, 200);
    EXPECT_TRUE(registered.body.contains(R"("next_heartbeat_ms":10000)")) << registered.body;
    const Answer taken = beat(node, {ready_pool("chat", "qwen")});
    EXPECT_EQ(taken.status, 200);
    EXPECT_TRUE(taken.body.contains(R"("success":true)"));
    EXPECT_TRUE(wait_ready(1));
    const Answer shown = ask("GET", "/v2/nodes/gpu-1");
    for (const char* part :
         {R"("status":"Online")", R"("online":true)", R"("reachable":true)", R"("pool_id":"chat")"
         }) {
        EXPECT_TRUE(shown.body.contains(part)) << part << " in " << shown.body;
    }
    EXPECT_EQ(node.token(), std::string("Bearer ") + kClusterToken);
    EXPECT_TRUE(ask("GET", "/v2/nodes").body.contains(R"("count":1)"));
    EXPECT_TRUE(ask("GET", "/v2/pools").body.contains(R"("served_name":"qwen")"));
    EXPECT_TRUE(ask("GET", "/v2/nodes/gpu-1/pools/chat").body.contains(R"("slots_total":4)"));
    EXPECT_TRUE(ask("GET", "/v1/models").body.contains(R"("id":"qwen")"));
    EXPECT_TRUE(ask("GET", "/health").body.contains(R"("status":"ok")"));
}

TEST_F(ControlNodes, AnEarlierNodeIsAskedForItsHealth) {
    start();
    FakeNode& node = make_node("gpu-1");
    node.set_status_answer(404, "{}");
    register_node(node);
    EXPECT_TRUE(eventually([&] {
        return ask("GET", "/v2/nodes/gpu-1").body.contains("no node answers there");
    })) << "this one has no /health";
}

TEST_F(ControlNodes, AnotherNodeAtTheAddressMeansUnreachableAndNoWork) {
    start();
    FakeNode& node = make_node("gpu-1");
    node.set_status_answer(200, R"({"node_id":"gpu-2","machine_id":"m","timestamp":"t"})");
    register_node(node);
    beat(node, {ready_pool("chat", "qwen")});
    EXPECT_TRUE(eventually([&] {
        return ask("GET", "/v2/nodes/gpu-1").body.contains("another node answers there: gpu-2");
    }));
    const std::string shown = ask("GET", "/v2/nodes/gpu-1").body;
    EXPECT_TRUE(shown.contains(R"("status":"Online")")) << shown;
    EXPECT_TRUE(shown.contains(R"("reachable":false)")) << shown;
    EXPECT_TRUE(eventually([&] { return ask("GET", "/v1/models").body.contains("qwen"); }));
    const Answer refused = chat(R"({"model":"qwen"})");
    EXPECT_EQ(code_of(refused), "MODEL_NOT_AVAILABLE");
    EXPECT_TRUE(refused.body.contains("another node answers there")) << refused.body;
    EXPECT_TRUE(node.seen().empty());
}

TEST_F(ControlNodes, AnAddressWhereNobodyListensIsNamedUntilSomebodyDoes) {
    start();
    FakeNode& node = make_node("gpu-1");
    node.set_status_answer(500, "{}");
    register_node(node);
    beat(node, {ready_pool("chat", "qwen")});
    EXPECT_TRUE(eventually([&] {
        return ask("GET", "/v2/nodes/gpu-1").body.contains("answered with status 500");
    }));
    node.set_status_answer(200, R"({"node_id":"gpu-1","machine_id":"m","timestamp":"t"})");
    EXPECT_TRUE(wait_ready(1));

    FakeNode& silent = make_node("gpu-2");
    silent.stop();
    register_node(silent);
    EXPECT_TRUE(eventually([&] {
        return ask("GET", "/v2/nodes/gpu-2").body.contains("the connection was refused");
    }));
}

TEST_F(ControlNodes, UnknownNodesAreToldToRegisterAndLeaversAreGone) {
    start();
    FakeNode& node = make_node("gpu-1");
    const Answer unknown = beat(node, {});
    EXPECT_EQ(unknown.status, 404);
    EXPECT_EQ(code_of(unknown), "NOT_FOUND");
    register_node(node);
    EXPECT_EQ(beat(node, {}).status, 200);
    EXPECT_EQ(ask("DELETE", "/v2/nodes/gpu-1").status, 204);
    EXPECT_EQ(ask("DELETE", "/v2/nodes/gpu-1").status, 404);
    EXPECT_EQ(ask("GET", "/v2/nodes/gpu-1").status, 404);
    EXPECT_FALSE(metrics().contains(R"(orchd_nodes_online{node_id="gpu-1"})"));
}

TEST_F(ControlNodes, ASilentNodeGetsNoWorkAfterItsDeadline) {
    config.registry.node_timeout = std::chrono::milliseconds(300);
    start();
    FakeNode& node = join("gpu-1", {ready_pool("chat", "qwen")});
    EXPECT_TRUE(wait_metric(R"(orchd_nodes_online{node_id="gpu-1"} 0)"));
    settle();
    EXPECT_EQ(code_of(chat(R"({"model":"qwen"})")), "MODEL_NOT_AVAILABLE");
    beat(node, {ready_pool("chat", "qwen")});
    EXPECT_TRUE(wait_metric(R"(orchd_nodes_online{node_id="gpu-1"} 1)"));
}

TEST_F(ControlNodes, BadMessagesNameTheField) {
    start();
    EXPECT_EQ(code_of(ask("POST", "/v2/nodes/register", "no json")), "INVALID_PARAMS");
    const Answer empty = ask("POST", "/v2/nodes/register", "{}");
    EXPECT_EQ(empty.status, 400);
    EXPECT_TRUE(empty.body.contains("node_id")) << empty.body;
    FakeNode& node = make_node("gpu-1");
    register_node(node);
    EXPECT_EQ(ask("POST", "/v2/nodes/gpu-1/heartbeat", R"({"pools":3})").status, 400);
    EXPECT_TRUE(wait_metric(R"(orchd_node_heartbeats_total{node_id="gpu-1",outcome="invalid"} 1)"));
    EXPECT_EQ(ask("POST", "/v2/nodes/other/heartbeat", R"({"pools":3})").status, 400);
    EXPECT_TRUE(wait_metric(R"(orchd_node_heartbeats_total{node_id="other",outcome="invalid"} 1)"));
    const std::string large(2 * kMiB, ' ');
    EXPECT_EQ(code_of(ask("POST", "/v2/nodes/register", large)), "PAYLOAD_TOO_LARGE");
}

TEST_F(ControlNodes, EveryRouteHasItsDoor) {
    start();
    const std::string nobody = "Authorization: \r\n";
    const std::string stranger = "Authorization: Bearer of-somebody-else\r\n";

    struct Door {
        const char* method;
        const char* path;
        bool open;
    };

    const Door doors[] = {
        {"GET", "/health", true},
        {"GET", "/livez", true},
        {"GET", "/readyz", true},
        {"GET", "/metrics", true},
        {"GET", "/openapi.json", true},
        {"GET", "/v1/models", false},
        {"GET", "/v1/models/qwen", false},
        {"POST", "/v1/chat/completions", false},
        {"POST", "/v1/completions", false},
        {"POST", "/v2/nodes/register", false},
        {"POST", "/v2/nodes/gpu-1/heartbeat", false},
        {"DELETE", "/v2/nodes/gpu-1", false},
        {"GET", "/v2/nodes", false},
        {"GET", "/v2/nodes/gpu-1", false},
        {"GET", "/v2/pools", false},
        {"GET", "/v2/nodes/gpu-1/pools/chat", false},
        {"GET", "/v2/nodes/gpu-1/pools/chat/health", false},
        {"GET", "/v2/pools/chat", false},
        {"GET", "/v2/pools/chat/health", false},
        {"POST", "/v2/nodes/static", false},
        {"POST", "/v2/nodes/gpu-1/cordon", false},
        {"POST", "/v2/nodes/gpu-1/uncordon", false},
        {"POST", "/v2/nodes/gpu-1/drain", false},
        {"GET", "/v2/discovery/prometheus", false},
        {"GET", "/v2/meta/capabilities", false},
        {"GET", "/v2/meta/version", false},
        {"GET", "/no/such/path", false},
    };
    for (const Door& door : doors) {
        const Answer without = ask(door.method, door.path, "", nobody);
        const Answer wrong = ask(door.method, door.path, "", stranger);
        const Answer right = ask(door.method, door.path);
        EXPECT_EQ(without.status, door.open ? 200 : 401) << door.path;
        EXPECT_EQ(wrong.status, door.open ? 200 : 401) << door.path;
        EXPECT_NE(right.status, 401) << door.path;
        if (!door.open) {
            EXPECT_EQ(code_of(without), "MISSING_TOKEN") << door.path;
            EXPECT_EQ(code_of(wrong), "BAD_TOKEN") << door.path;
        }
        EXPECT_FALSE(right.header("X-Correlation-Id").empty()) << door.path;
    }
}

TEST_F(ControlNodes, RefusalsAreCountedAndPreFlightsNeedNoToken) {
    start();
    FakeNode& node = make_node("gpu-1");
    register_node(node);
    const std::string nobody = "Authorization: \r\n";
    EXPECT_EQ(ask("POST", "/v2/nodes/gpu-1/heartbeat", "{}", nobody).status, 401);
    EXPECT_TRUE(
        wait_metric(R"(orchd_node_heartbeats_total{node_id="gpu-1",outcome="unauthorized"} 1)")
    );
    EXPECT_EQ(ask("POST", "/v2/nodes/register", "{}", nobody).status, 401);
    EXPECT_TRUE(wait_metric(R"(orchd_node_registrations_total{outcome="error"} 1)"));
    EXPECT_EQ(ask("OPTIONS", "/v1/chat/completions", "", nobody).status, 405);
}

TEST_F(ControlNodes, UnknownPathsAndVerbsAreToldApart) {
    start();
    EXPECT_EQ(ask("GET", "/no/such/path").status, 404);
    const Answer verb = ask("GET", "/v1/chat/completions");
    EXPECT_EQ(verb.status, 405);
    EXPECT_EQ(verb.header("Allow"), "POST");
    EXPECT_EQ(ask("GET", "/v1/models/none").status, 404);
    EXPECT_EQ(ask("GET", "/v2/nodes/none").status, 404);
    EXPECT_EQ(ask("GET", "/v2/nodes/none/pools/none").status, 404);
}

TEST_F(ControlNodes, AtHomeOnlyTheNodeOfThisProcessJoins) {
    config.profile.profile = control::app::Profile::home;
    config.registry.home = true;
    start();
    FakeNode& node = make_node("gpu-1");
    const Answer refused = register_node(node);
    EXPECT_EQ(refused.status, 503);
    EXPECT_EQ(code_of(refused), "CLOUD_PROFILE_DISABLED");
    EXPECT_EQ(refused.header("Retry-After"), "") << "it will never be otherwise";
    EXPECT_EQ(code_of(beat(node, {})), "CLOUD_PROFILE_DISABLED");
    EXPECT_EQ(code_of(ask("DELETE", "/v2/nodes/gpu-1")), "CLOUD_PROFILE_DISABLED");
    EXPECT_EQ(
        ask("POST", "/v2/nodes/register", "{}", "Authorization: Bearer wrong-wrong\r\n").status, 401
    );

    const std::string home = std::string("Authorization: Bearer ") + kHomeToken + "\r\n";
    const std::string body = R"({"node_id":"gpu-1","machine_id":"m","address":")" + node.url() +
                             R"(","pools":[],"capabilities":{"gpus":[]}})";
    EXPECT_EQ(ask("POST", "/v2/nodes/register", body, home).status, 200);
    EXPECT_EQ(
        ask("POST",
            "/v2/nodes/gpu-1/heartbeat",
            R"({"timestamp":"t","pools":[{"pool_id":"chat","ready":true,"slots_free":1}]})",
            home)
            .status,
        200
    );
    EXPECT_TRUE(wait_ready(1));
    EXPECT_EQ(ask("GET", "/v2/nodes").status, 200) << "reading is no joining";
    EXPECT_EQ(ask("DELETE", "/v2/nodes/gpu-1", "", home).status, 204);
}

TEST_F(ControlNodes, TheMetricsAreThereFromTheStart) {
    start();
    const std::string text = metrics();
    for (const char* name :
         {"orchd_node_registrations_total",
          "orchd_node_heartbeats_total",
          "orchd_node_deregistrations_total",
          "orchd_nodes_online",
          "orchd_pools_available",
          "orchd_pool_health_checks_total",
          "orchd_pool_health_check_duration_ms",
          "queue_depth"}) {
        EXPECT_TRUE(text.contains(std::string("# HELP ") + name + " ")) << name;
        EXPECT_TRUE(text.contains(std::string("# TYPE ") + name + " ")) << name;
    }
}

TEST_F(ControlNodes, TheMetricsCountWhatHappens) {
    start();
    FakeNode& node = join("gpu-1", {ready_pool("chat", "qwen"), ready_pool("other", "llama")});
    beat(node, {ready_pool("chat", "qwen")});
    --seq["gpu-1"];
    beat(node, {ready_pool("chat", "qwen")});
    ask("POST", "/v2/nodes/gpu-9/heartbeat", R"({"timestamp":"t","pools":[]})");
    for (const char* line :
         {R"(orchd_node_registrations_total{outcome="success"} 1)",
          R"(orchd_node_heartbeats_total{node_id="gpu-1",outcome="success"} 2)",
          R"(orchd_node_heartbeats_total{node_id="gpu-1",outcome="stale"} 1)",
          R"(orchd_node_heartbeats_total{node_id="other",outcome="unknown_node"} 1)",
          R"(orchd_nodes_online{node_id="gpu-1"} 1)",
          R"(orchd_pools_available{node_id="gpu-1",pool_id="chat"} 1)"}) {
        EXPECT_TRUE(wait_metric(line)) << line << " in " << metrics();
    }
    EXPECT_FALSE(metrics().contains(R"(pool_id="other")")) << "the pool is gone";
    ask("DELETE", "/v2/nodes/gpu-1");
    EXPECT_TRUE(wait_metric(R"(orchd_node_deregistrations_total{outcome="success"} 1)"));
    EXPECT_FALSE(metrics().contains(R"(node_id="gpu-1")")) << "its series go with the node";
}

}  // namespace
}  // namespace orch::loopback
