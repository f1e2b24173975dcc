#include "loopback/control_ring.hpp"

#include <gtest/gtest.h>

#include <future>

namespace orch::loopback {
namespace {

using ControlStop = ControlRing;
using namespace std::chrono_literals;

constexpr std::string_view kAsk = R"({"model":"qwen"})";
constexpr std::string_view kToken = "data: {\"choices\":[{\"delta\":{\"content\":\"t\"}}]}\n\n";

// Whether stopping ends in time; a hang would be the guard's to end.
bool stops(ControlRing& ring, Duration grace) {
    auto stopped = std::async(std::launch::async, [&] { ring.stop(grace); });
    return stopped.wait_for(kGuard) == std::future_status::ready;
}

TEST_F(ControlStop, WithoutAnythingToDo) {
    start();
    EXPECT_TRUE(stops(*this, 0s));
    EXPECT_THROW(RawClient{address}, std::runtime_error);
}

TEST_F(ControlStop, BuiltAndNeverStarted) {
    control::app::ControlApp never(config, clock, sink);
    EXPECT_TRUE(never.bind());
}

TEST_F(ControlStop, ASecondOneAtTheSameAddressIsRefused) {
    start();
    config.profile.bind = address;
    control::app::ControlApp second(config, clock, sink);
    const auto bound = second.bind();
    ASSERT_FALSE(bound);
    EXPECT_EQ(bound.error().code, Errc::conflict);
}

TEST_F(ControlStop, WithRunningStreamsAndWaitingRequests) {
    config.edge_threads = 2;
    start();
    FakeNode& node = join("gpu-1", {ready_pool("chat", "qwen", 2)});
    Script running = stream({std::string(kToken), "data: [DONE]\n\n"});
    running.gate_before = 1;
    node.play_next(running);
    Script silent = answer("{}");
    silent.gate_before = 0;
    node.play_next(silent);
    RawClient streaming = begin("POST", kChat, R"({"model":"qwen","stream":true})");
    ASSERT_TRUE(streaming.socket().receive_until("delta"));
    RawClient unanswered = begin("POST", kChat, kAsk);
    ASSERT_TRUE(node.wait_seen(2));
    RawClient waiting = begin("POST", kChat, kAsk);
    RawClient also_waiting = begin("POST", kChat, kAsk);
    ASSERT_TRUE(wait_metric(R"(queue_depth{model="qwen",priority="interactive"} 2)"));
    EXPECT_TRUE(stops(*this, 10ms));
    EXPECT_TRUE(node.wait_left(2));
    for (RawClient* const client : {&waiting, &also_waiting}) {
        const Answer answer = client->read_answer();
        EXPECT_EQ(answer.status, 503) << "whoever only waited may ask again";
        EXPECT_EQ(code_of(answer), "POOL_UNAVAILABLE");
        EXPECT_FALSE(answer.header("Retry-After").empty());
    }
    EXPECT_NE(unanswered.read_answer().status, 200);
    EXPECT_EQ(log.count("ended with an exception"), 0U);
}

TEST_F(ControlStop, RequestsMayEndWithinTheGrace) {
    start();
    FakeNode& node = join("gpu-1", {ready_pool("chat", "qwen", 1)});
    Script held = answer("{}");
    held.gate_before = 0;
    node.play(held);
    RawClient running = begin("POST", kChat, kAsk);
    ASSERT_TRUE(node.wait_seen(1));
    RawClient waiting = begin("POST", kChat, kAsk);
    ASSERT_TRUE(wait_metric(R"(queue_depth{model="qwen",priority="interactive"} 1)"));
    auto stopped = std::async(std::launch::async, [&] { stop(kGuard); });
    ASSERT_TRUE(eventually([&] {
        try {
            RawClient probe(address);
            return false;
        } catch (const std::runtime_error&) {
            return true;
        }
    }));
    node.open_gate();
    EXPECT_EQ(running.read_answer().status, 200);
    EXPECT_EQ(waiting.read_answer().status, 200) << "it was taken in before";
    EXPECT_EQ(stopped.wait_for(kGuard), std::future_status::ready);
}

TEST_F(ControlStop, ATaskThatWaitsEndsAtOnceAndItsWatcherHearsOfIt) {
    start();
    FakeNode& node = join("gpu-1", {ready_pool("chat", "qwen", 1)});
    Script held = stream({std::string(kToken)});
    held.gate_before = 0;
    node.play(held);
    for (const char* id : {"runs", "waits"}) {
        const std::string body =
            R"({"model":"qwen","prompt":"p","task_id":")" + std::string(id) + "\"}";
        ASSERT_EQ(ask("POST", "/v2/tasks", body).status, 202);
    }
    ASSERT_TRUE(node.wait_seen(1));
    RawClient watching = begin("GET", "/v2/tasks/waits/events");
    ASSERT_TRUE(watching.socket().receive_until("event: queued"));
    EXPECT_TRUE(stops(*this, 10 * kGuard)) << "the watcher takes none of it";
    EXPECT_TRUE(watching.socket().receive_until("WORKER_RESET"));
}

TEST_F(ControlStop, AWatcherOfARunningTaskHearsOfItsEndAfterTheGrace) {
    start();
    FakeNode& node = join("gpu-1", {ready_pool("chat", "qwen", 1)});
    Script held = stream({std::string(kToken)});
    held.gate_before = 0;
    node.play(held);
    ASSERT_EQ(
        ask("POST", "/v2/tasks", R"({"model":"qwen","prompt":"p","task_id":"runs"})").status, 202
    );
    ASSERT_TRUE(node.wait_seen(1));
    RawClient watching = begin("GET", "/v2/tasks/runs/events");
    ASSERT_TRUE(eventually([&] { return metrics().contains("tasks_enqueued_total{"); }));
    EXPECT_TRUE(stops(*this, 10ms));
    EXPECT_TRUE(watching.socket().receive_until("WORKER_RESET"));
}

TEST_F(ControlStop, WhileANodesAddressDoesNotAnswer) {
    start();
    RawListener mute;
    FakeNode& node = make_node("gpu-1");
    const std::string body = R"({"node_id":"gpu-1","machine_id":"m","address":"http://)" +
                             to_string(mute.address()) +
                             R"(","pools":[],"capabilities":{"gpus":[]}})";
    ASSERT_EQ(ask("POST", "/v2/nodes/register", body).status, 200);
    RawSocket check = mute.accept();
    ASSERT_TRUE(check.receive_until("GET /v2/node"));
    EXPECT_TRUE(stops(*this, 0s));
    EXPECT_EQ(node.token(), "");
}

TEST_F(ControlStop, WhileANodeIsTriedAgainAndAgain) {
    start();
    FakeNode& node = make_node("gpu-1");
    node.stop();
    register_node(node);
    ASSERT_TRUE(eventually([&] {
        return ask("GET", "/v2/nodes/gpu-1").body.contains("the connection was refused");
    }));
    EXPECT_TRUE(stops(*this, 0s));
}

}  // namespace
}  // namespace orch::loopback
