#include "loopback/control_ring.hpp"

#include <gtest/gtest.h>

// The life of a node over HTTP, from the door to the place where its work goes.
namespace orch::loopback {
namespace {

using CloudProfile = ControlRing;

constexpr std::string_view kAsk = R"({"model":"qwen"})";

TEST_F(CloudProfile, NodeRegistrationFlow) {
    start();
    EXPECT_TRUE(ask("GET", "/v2/nodes").body.contains(R"("count":0)"));
    FakeNode& node = make_node("gpu-1");
    const Answer registered = register_node(node);
    EXPECT_EQ(registered.status, 200);
    EXPECT_TRUE(registered.body.contains(R"("node_id":"gpu-1")")) << registered.body;
    const std::string known = ask("GET", "/v2/nodes/gpu-1").body;
    EXPECT_TRUE(known.contains(R"("status":"Registering")")) << known;
    EXPECT_TRUE(known.contains(R"("machine_id":"m-gpu-1")")) << known;
    EXPECT_NE(chat(kAsk).status, 200) << "it has told of no pool yet";
    EXPECT_EQ(beat(node, {ready_pool("chat", "qwen")}).status, 200);
    ASSERT_TRUE(wait_ready(1));
    EXPECT_TRUE(ask("GET", "/v2/nodes/gpu-1").body.contains(R"("status":"Online")"));
    EXPECT_EQ(chat(kAsk).header("X-Llorch-Node"), "gpu-1");
}

TEST_F(CloudProfile, NodeRegistrationFlowOfANodeThatRegistersAgain) {
    start();
    FakeNode& node = join("gpu-1", {ready_pool("chat", "qwen")});
    const Answer again = register_node(node);
    EXPECT_EQ(again.status, 200);
    EXPECT_TRUE(again.body.contains("registered again")) << again.body;
    EXPECT_TRUE(ask("GET", "/v2/nodes").body.contains(R"("count":1)"));
    settle();
    EXPECT_EQ(chat(kAsk).header("X-Llorch-Pool"), "chat") << "its pools are still known";
}

TEST_F(CloudProfile, HeartbeatUpdatesPoolStatus) {
    start();
    api::PoolReport pool = ready_pool("chat", "qwen");
    pool.ready = false;
    FakeNode& node = join("gpu-1", {pool});
    EXPECT_EQ(code_of(chat(kAsk)), "MODEL_NOT_AVAILABLE");
    pool.ready = true;
    pool.slots_total = 8;
    pool.slots_free = 5;
    pool.active_leases = 0;
    pool.vram_free_bytes = 7 * kGiB;
    EXPECT_EQ(beat(node, {pool}).status, 200);
    ASSERT_TRUE(wait_ready(1));
    const std::string shown = ask("GET", "/v2/nodes/gpu-1/pools/chat").body;
    for (const char* part :
         {R"("ready":true)",
          R"("slots_total":8)",
          R"("slots_free":5)",
          R"("vram_free_bytes":7516192768)"}) {
        EXPECT_TRUE(shown.contains(part)) << part << " in " << shown;
    }
    EXPECT_EQ(chat(kAsk).status, 200);
    pool.draining = true;
    EXPECT_EQ(beat(node, {pool}).status, 200);
    ASSERT_TRUE(wait_ready(0));
    settle();
    EXPECT_EQ(code_of(chat(kAsk)), "MODEL_NOT_AVAILABLE");
}

TEST_F(CloudProfile, NodeDeregistration) {
    start();
    join("gpu-1", {ready_pool("chat", "qwen")});
    join("gpu-2", {ready_pool("chat", "qwen")});
    EXPECT_EQ(ask("DELETE", "/v2/nodes/gpu-1").status, 204);
    settle();
    EXPECT_EQ(ask("GET", "/v2/nodes/gpu-1").status, 404);
    EXPECT_TRUE(ask("GET", "/v2/nodes").body.contains(R"("count":1)"));
    for (int i = 0; i < 4; ++i) {
        EXPECT_EQ(chat(kAsk).header("X-Llorch-Node"), "gpu-2");
    }
    EXPECT_EQ(code_of(chat(kAsk, "X-Llorch-Node: gpu-1\r\n")), "NODE_UNAVAILABLE");
}

TEST_F(CloudProfile, NodeEndpointsNeedAuthentication) {
    start();
    FakeNode& node = make_node("gpu-1");
    const std::pair<const char*, const char*> endpoints[] = {
        {"POST", "/v2/nodes/register"},
        {"POST", "/v2/nodes/gpu-1/heartbeat"},
        {"DELETE", "/v2/nodes/gpu-1"},
        {"GET", "/v2/nodes"},
        {"GET", "/v2/nodes/gpu-1"},
    };
    register_node(node);
    for (const auto& [method, path] : endpoints) {
        const Answer without = ask(method, path, "{}", "Authorization: \r\n");
        EXPECT_EQ(without.status, 401) << path;
        EXPECT_EQ(code_of(without), "MISSING_TOKEN") << path;
        const Answer wrong =
            ask(method, path, "{}", "Authorization: Bearer of-somebody-else-0123456789\r\n");
        EXPECT_EQ(wrong.status, 401) << path;
        EXPECT_EQ(code_of(wrong), "BAD_TOKEN") << path;
    }
    EXPECT_EQ(ask("GET", "/v2/nodes/gpu-1").status, 200) << "nobody without a token removed it";
}

TEST_F(CloudProfile, AFailedNodeIsDetectedAndWelcomeAgain) {
    config.registry.node_timeout = std::chrono::milliseconds(300);
    start();
    FakeNode& node = join("gpu-1", {ready_pool("chat", "qwen")});
    EXPECT_TRUE(wait_metric(R"(orchd_nodes_online{node_id="gpu-1"} 0)"));
    settle();
    const Answer refused = chat(kAsk);
    EXPECT_EQ(code_of(refused), "MODEL_NOT_AVAILABLE");
    EXPECT_TRUE(refused.body.contains("node 'gpu-1' is Offline")) << refused.body;
    EXPECT_TRUE(eventually([&] {
        beat(node, {ready_pool("chat", "qwen")});
        return chat(kAsk).status == 200;
    }));
}

}  // namespace
}  // namespace orch::loopback
