#include "loopback/control_ring.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

// Nodes that are added by hand, polled, cordoned and drained; pools by their short names; what
// monitoring asks.
namespace orch::loopback {
namespace {

struct ControlFleet : ControlRing {
    // A node that does not register and tells of one ready pool when it is asked.
    FakeNode& mute_node(const std::string& id) {
        config.poll_interval = std::chrono::milliseconds(50);
        FakeNode& node = make_node(id);
        api::NodeStatusBody body;
        body.node_id = NodeId(id);
        body.machine_id = MachineId("m-" + id);
        body.boot_id = "b1";
        body.pools = {ready_pool("chat", "qwen")};
        node.set_status_answer(200, api::to_json(body));
        return node;
    }

    Answer add(const std::string& url) {
        return ask("POST", "/v2/nodes/static", fmt::format(R"({{"url":"{}"}})", url));
    }

    bool wait_shown(const std::string& id, std::string_view part) {
        return eventually([&] { return ask("GET", "/v2/nodes/" + id).body.contains(part); });
    }

    std::string state() const {
        std::ifstream file(config.state_dir + "/fleet.json");
        return {std::istreambuf_iterator<char>(file), {}};
    }
};

TEST_F(ControlFleet, ANodeOfTheSettingsIsPolledAndServes) {
    FakeNode& node = mute_node("gpu-1");
    config.static_nodes = {{false, "127.0.0.1", node.address().port}};
    start();
    ASSERT_TRUE(wait_ready(1));
    settle();
    EXPECT_EQ(node.token(), std::string("Bearer ") + kClusterToken);
    const Answer shown = ask("GET", "/v2/nodes/gpu-1");
    EXPECT_TRUE(shown.body.contains(R"("status":"Online","online":true,"reachable":true)"));
    EXPECT_EQ(chat(R"({"model":"qwen"})").status, 200);
    EXPECT_TRUE(wait_metric(
        R"(orchd_pool_health_checks_total{node_id="gpu-1",pool_id="chat",outcome="success"})"
    ));
    EXPECT_EQ(code_of(ask("DELETE", "/v2/nodes/gpu-1")), "CONFLICT") << "the settings name it";
}

TEST_F(ControlFleet, ANodeOfTheSettingsThatIsNotThereIsListedWithTheReason) {
    FakeNode& node = mute_node("gpu-1");
    const HostPort address = node.address();
    node.stop();
    config.static_nodes = {{false, "127.0.0.1", address.port}};
    config.registry.node_timeout = std::chrono::milliseconds(200);
    start();
    const std::string id = fmt::format("127.0.0.1-{}", address.port);
    EXPECT_TRUE(wait_shown(id, "the connection was refused"));
    EXPECT_TRUE(ask("GET", "/v2/nodes").body.contains(R"("status":"Registering")"));
}

TEST_F(ControlFleet, AStaticNodeGoesOfflineWithItsReasonAndComesBack) {
    config.registry.node_timeout = std::chrono::milliseconds(200);
    FakeNode& node = mute_node("gpu-1");
    config.static_nodes = {{false, "127.0.0.1", node.address().port}};
    start();
    ASSERT_TRUE(wait_ready(1));
    node.set_status_answer(500, "{}");
    EXPECT_TRUE(wait_shown("gpu-1", R"("status":"Offline")"));
    EXPECT_TRUE(wait_shown("gpu-1", "GET /v2/node answered with status 500"));
    node.set_status_answer(
        200, R"({"node_id":"gpu-1","machine_id":"m-gpu-1","boot_id":"b1","pools":[]})"
    );
    EXPECT_TRUE(wait_shown("gpu-1", R"("status":"Online")"));
}

TEST_F(ControlFleet, ANodeIsAddedByItsUrlAndRemoved) {
    start();
    FakeNode& node = mute_node("gpu-1");
    const Answer added = add(node.url());
    EXPECT_EQ(added.status, 201) << added.body;
    EXPECT_TRUE(added.body.contains(R"("node_id":"gpu-1")")) << added.body;
    EXPECT_TRUE(added.body.contains(R"("status":"Online")")) << added.body;
    ASSERT_TRUE(wait_ready(1));
    settle();
    EXPECT_EQ(chat(R"({"model":"qwen"})").status, 200);
    EXPECT_TRUE(state().contains(node.url())) << state();
    EXPECT_EQ(add(node.url() + "/").status, 200) << "it is there already";

    EXPECT_EQ(ask("DELETE", "/v2/nodes/gpu-1").status, 204);
    EXPECT_EQ(ask("GET", "/v2/nodes/gpu-1").status, 404);
    EXPECT_FALSE(state().contains(node.url())) << state();
    EXPECT_TRUE(eventually([&] { return !metrics().contains(R"(node_id="gpu-1")"); }));
}

TEST_F(ControlFleet, OnlyAUrlWhereANodeAnswersIsAdded) {
    start();
    EXPECT_EQ(code_of(ask("POST", "/v2/nodes/static", "{}")), "INVALID_PARAMS");
    const Answer scheme = add("file:///etc/passwd");
    EXPECT_EQ(code_of(scheme), "INVALID_PARAMS");
    EXPECT_TRUE(scheme.body.contains(R"("param":"url")")) << scheme.body;

    FakeNode& node = make_node("gpu-1");
    node.set_status_answer(200, R"({"secret":"of something else"})");
    const Answer stranger = add(node.url());
    EXPECT_EQ(code_of(stranger), "NODE_UNAVAILABLE");
    EXPECT_TRUE(stranger.body.contains("something that is no node")) << stranger.body;
    EXPECT_FALSE(stranger.body.contains("secret")) << stranger.body;
    node.stop();
    EXPECT_TRUE(add(node.url()).body.contains("the connection was refused"));
    EXPECT_EQ(ask("GET", "/v2/nodes").body, R"({"nodes":[],"count":0})");
    EXPECT_EQ(state(), "");
}

TEST_F(ControlFleet, AnyServerWithAHealthPageIsNoEarlierNode) {
    start();
    FakeNode& node = make_node("gpu-1");
    node.be_earlier("");
    const Answer refused = add(node.url());
    EXPECT_EQ(code_of(refused), "NODE_UNAVAILABLE");
    EXPECT_TRUE(refused.body.contains("it is no node")) << refused.body;
    EXPECT_EQ(ask("GET", "/v2/nodes").body, R"({"nodes":[],"count":0})");
}

TEST_F(ControlFleet, AnEarlierNodeIsKnownByItsPool) {
    start();
    FakeNode& node = make_node("gpu-1");
    node.be_earlier(
        R"({"pool_id":"default","live":true,"ready":true,"slots_total":2,"slots_free":2})"
    );
    const Answer added = add(node.url());
    EXPECT_EQ(added.status, 201) << added.body;
    EXPECT_TRUE(added.body.contains(R"("pool_id":"default")")) << added.body;
    ASSERT_TRUE(wait_ready(1));
}

TEST_F(ControlFleet, ANameThatALiveNodeHasIsNotGivenAway) {
    start();
    join("gpu-1", {ready_pool("chat", "qwen")});
    FakeNode& other = make_node("x");
    other.set_status_answer(200, R"({"node_id":"gpu-1","machine_id":"another","pools":[]})");
    const Answer refused = add(other.url());
    EXPECT_EQ(refused.status, 409);
    EXPECT_EQ(state(), "");
}

TEST_F(ControlFleet, WhatWasAddedAndCordonedOutlivesARestart) {
    FakeNode& node = mute_node("gpu-1");
    start();
    ASSERT_EQ(add(node.url()).status, 201);
    ASSERT_EQ(ask("POST", "/v2/nodes/gpu-1/cordon").status, 200);
    app->stop(Duration::zero());
    start();
    EXPECT_TRUE(wait_shown("gpu-1", R"("status":"Draining")"));
}

TEST_F(ControlFleet, ANewNodeGetsWorkOnceItIsApprovedAndStaysApproved) {
    config.registry.approve_nodes = true;
    start();
    FakeNode& node = make_node("gpu-1");
    ASSERT_EQ(register_node(node).status, 200);
    ASSERT_EQ(beat(node, {ready_pool("chat", "qwen")}).status, 200);
    EXPECT_TRUE(wait_shown("gpu-1", R"("status":"Pending","online":true)"));
    EXPECT_EQ(code_of(chat(R"({"model":"qwen"})")), "MODEL_NOT_AVAILABLE");
    EXPECT_EQ(ask("POST", "/v2/nodes/nobody/approve").status, 404);
    const Answer approved = ask("POST", "/v2/nodes/gpu-1/approve");
    EXPECT_EQ(approved.status, 200);
    EXPECT_TRUE(approved.body.contains(R"("status":"Online")")) << approved.body;
    EXPECT_TRUE(eventually([&] { return chat(R"({"model":"qwen"})").status == 200; }));
    EXPECT_TRUE(state().contains(R"("approved":["gpu-1"])")) << state();
    app->stop(Duration::zero());
    start();
    ASSERT_EQ(register_node(node).status, 200);
    ASSERT_EQ(beat(node, {ready_pool("chat", "qwen")}).status, 200);
    EXPECT_TRUE(wait_shown("gpu-1", R"("status":"Online")"));
}

TEST_F(ControlFleet, ACorruptStateFileIsNamed) {
    std::ofstream(config.state_dir + "/fleet.json") << "{";
    control::app::ControlApp broken(config, clock, sink);
    const auto loaded = broken.open_state();
    ASSERT_FALSE(loaded);
    EXPECT_TRUE(loaded.error().message.starts_with(config.state_dir + "/fleet.json: "));
}

TEST_F(ControlFleet, ACordonedNodeKeepsItsWorkAndGetsNone) {
    start();
    join("gpu-1", {ready_pool("chat", "qwen")});
    const Answer cordoned = ask("POST", "/v2/nodes/gpu-1/cordon");
    EXPECT_EQ(cordoned.status, 200);
    EXPECT_TRUE(cordoned.body.contains(R"("status":"Draining")")) << cordoned.body;
    settle();
    EXPECT_EQ(chat(R"({"model":"qwen"})").status, 503);
    const Answer again = ask("POST", "/v2/nodes/gpu-1/uncordon");
    EXPECT_TRUE(again.body.contains(R"("status":"Online")")) << again.body;
    settle();
    EXPECT_EQ(chat(R"({"model":"qwen"})").status, 200);
    EXPECT_EQ(ask("POST", "/v2/nodes/gpu-9/cordon").status, 404);
}

TEST_F(ControlFleet, ADrainWaitsForTheWorkOfTheNode) {
    start();
    FakeNode& node = join("gpu-1", {ready_pool("chat", "qwen")});
    Script held = answer("{}");
    held.gate_before = 0;
    node.play(held);
    RawClient running = begin("POST", kChat, R"({"model":"qwen"})");
    ASSERT_TRUE(node.wait_seen(1));
    const Answer now = ask("POST", "/v2/nodes/gpu-1/drain");
    EXPECT_EQ(now.status, 200);
    EXPECT_TRUE(now.body.contains(R"("claimed":1)")) << now.body;
    RawClient drain = begin("POST", "/v2/nodes/gpu-1/drain", R"({"deadline_ms":60000})");
    node.open_gate();
    EXPECT_EQ(running.read_answer().status, 200) << "what runs may end";
    const Answer drained = drain.read_answer();
    EXPECT_EQ(drained.status, 200);
    EXPECT_TRUE(drained.body.contains(R"("status":"Draining")")) << drained.body;
    EXPECT_TRUE(drained.body.contains(R"("claimed":0)")) << drained.body;
    EXPECT_EQ(
        code_of(ask("POST", "/v2/nodes/gpu-1/drain", R"({"deadline_ms":"x"})")), "INVALID_PARAMS"
    );
}

TEST_F(ControlFleet, APoolIsFoundByItsIdWhileThatIsUnique) {
    start();
    join("gpu-1", {ready_pool("chat", "qwen")});
    EXPECT_TRUE(ask("GET", "/v2/pools/chat").body.contains(R"("node_id":"gpu-1")"));
    EXPECT_EQ(ask("GET", "/v2/pools/none").status, 404);
    join("gpu-2", {ready_pool("chat", "qwen")});
    const Answer ambiguous = ask("GET", "/v2/pools/chat/health");
    EXPECT_EQ(ambiguous.status, 409);
    EXPECT_EQ(code_of(ambiguous), "AMBIGUOUS_POOL");
    EXPECT_TRUE(ambiguous.body.contains(R"("nodes":["gpu-1","gpu-2"])")) << ambiguous.body;
}

TEST_F(ControlFleet, APoolsHealthCountsWhoWaitsForIt) {
    start();
    FakeNode& node = join("gpu-1", {ready_pool("chat", "qwen", 1)});
    EXPECT_EQ(
        ask("GET", "/v2/nodes/gpu-1/pools/chat/health").body,
        R"({"node_id":"gpu-1","pool_id":"chat","live":true,"ready":true,"draining":false,)"
        R"("metrics":{"queue_depth":0,"claimed":0,"active_leases":0,"slots_total":1,)"
        R"("slots_free":1,"vram_free_bytes":0},"last_error":null})"
    );
    Script held = answer("{}");
    held.gate_before = 0;
    node.play(held);
    RawClient running = begin("POST", kChat, R"({"model":"qwen"})");
    ASSERT_TRUE(node.wait_seen(1));
    RawClient waiting = begin("POST", kChat, R"({"model":"qwen"})");
    EXPECT_TRUE(eventually([&] {
        return ask("GET", "/v2/pools/chat/health").body.contains(R"("queue_depth":1,"claimed":1)");
    }));
    node.open_gate();
    EXPECT_EQ(waiting.read_answer().status, 200);
}

TEST_F(ControlFleet, MonitoringFindsEveryNodeInAnyState) {
    start();
    EXPECT_EQ(ask("GET", "/v2/discovery/prometheus").body, "[]");
    FakeNode& node = join("gpu-1", {ready_pool("chat", "qwen")});
    const Answer found = ask("GET", "/v2/discovery/prometheus");
    EXPECT_EQ(found.header("Content-Type"), "application/json");
    EXPECT_TRUE(found.body.contains(fmt::format(R"([{{"targets":["{}"])", to_string(node.address()))
    )) << found.body;
    EXPECT_TRUE(found.body.contains(R"("__meta_llorch_node_id":"gpu-1")")) << found.body;
}

TEST_F(ControlFleet, TheClusterTellsWhatItCanDo) {
    start();
    join("gpu-1", {ready_pool("chat", "qwen")});
    const Answer all = ask("GET", "/v2/meta/capabilities");
    EXPECT_TRUE(all.body.contains(R"("engine":"llamacpp")")) << all.body;
    EXPECT_TRUE(all.body.contains(R"("supported_workloads":["completion"])")) << all.body;
    EXPECT_TRUE(ask("GET", "/v2/meta/version").body.contains(R"("api_version":"2.0.0")"));
}

TEST_F(ControlFleet, AtHomeNobodyIsAddedByHand) {
    config.profile.profile = control::app::Profile::home;
    start();
    FakeNode& node = mute_node("gpu-1");
    EXPECT_EQ(code_of(add(node.url())), "CLOUD_PROFILE_DISABLED");
    EXPECT_EQ(ask("GET", "/v2/nodes").body, R"({"nodes":[],"count":0})");
}

}  // namespace
}  // namespace orch::loopback
