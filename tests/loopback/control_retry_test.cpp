#include "loopback/control_ring.hpp"

#include <gtest/gtest.h>

namespace orch::loopback {
namespace {

constexpr std::string_view kAsk = R"({"model":"qwen"})";
constexpr std::string_view kToken = "data: {\"choices\":[{\"delta\":{\"content\":\"t\"}}]}\n\n";

// Two nodes with a pool of the same model; the first request goes to gpu-1.
struct ControlRetry : ControlRing {
    void start_two() {
        start();
        first = &join("gpu-1", {ready_pool("chat", "qwen")});
        second = &join("gpu-2", {ready_pool("chat", "qwen")});
        second->play(answer(R"({"from":"gpu-2"})"));
    }

    void expect_second(const Answer& got, const char* attempts) const {
        EXPECT_EQ(got.status, 200) << got.body;
        EXPECT_EQ(got.body, R"({"from":"gpu-2"})");
        EXPECT_EQ(got.header("X-Llorch-Node"), "gpu-2");
        EXPECT_EQ(got.header("X-Llorch-Attempts"), attempts);
    }

    FakeNode* first = nullptr;
    FakeNode* second = nullptr;
};

TEST_F(ControlRetry, ANodeThatRefusesTheConnectionIsReplacedAndSuspect) {
    start_two();
    first->stop();
    expect_second(chat(kAsk), "2");
    expect_second(chat(kAsk), "1");
}

TEST_F(ControlRetry, ANodeThatAnswersWhenItIsAskedAtOnceIsNoLongerSuspect) {
    config.gateway.suspicion = std::chrono::hours(1);
    config.poll_interval = std::chrono::hours(1);
    start_two();
    answer_polls(*first, {ready_pool("chat", "qwen")});
    Script broken = answer("{}");
    broken.cut_before = 0;
    first->play(broken);
    expect_second(chat(kAsk), "2");
    first->play(answer(R"({"from":"gpu-1"})"));
    EXPECT_TRUE(eventually([&] { return chat(kAsk).header("X-Llorch-Node") == "gpu-1"; }));
}

TEST_F(ControlRetry, APoolWhoseRequestsFailInARowIsLeftAlone) {
    start_two();
    first->play(refusal(502, "WORKER_RESET"));
    for (int i = 0; i < 20; ++i) {
        EXPECT_EQ(chat(kAsk).status, 200);
    }
    EXPECT_EQ(first->seen().size(), LoadCell::kTripAfter);
}

TEST_F(ControlRetry, AnEngineThatDiedIsReplaced) {
    start_two();
    first->play(refusal(502, "WORKER_RESET"));
    expect_second(chat(kAsk), "2");
    EXPECT_EQ(first->seen().size(), 1U);
    EXPECT_EQ(log.count("a node did not serve a request"), 1U);
}

TEST_F(ControlRetry, AnEnginesOwn502IsNoFailureOfThePlace) {
    start_two();
    first->play(answer(R"({"error":{"code":502}})", 502));
    EXPECT_EQ(chat(kAsk).status, 502);
    EXPECT_TRUE(second->seen().empty());
}

TEST_F(ControlRetry, ANodeThatBreaksOffBeforeTheHeadIsReplaced) {
    start_two();
    Script script = answer("{}");
    script.cut_before = 0;
    first->play(script);
    expect_second(chat(kAsk), "2");
}

TEST_F(ControlRetry, ANodeThatDiesBeforeTheFirstEventIsReplaced) {
    config.gateway.suspicion = {};  // it is to be asked again
    start_two();
    answer_polls(*first, {ready_pool("chat", "qwen")});
    for (const std::vector<std::string>& pieces :
         {std::vector<std::string>{""}, std::vector<std::string>{std::string(kToken.substr(0, 9))}
         }) {
        Script script = stream(pieces);
        script.cut_before = 1;
        first->play_next(script);
        const Answer got = chat(
            R"({"model":"qwen","stream":true})",
            "X-Llorch-Prefer: node:gpu-1\r\n"
            "X-Llorch-Fallback: true\r\n"
        );
        expect_second(got, "2");
    }
}

TEST_F(ControlRetry, AnAnswerThatBreaksInItsMiddleIsMadeElsewhere) {
    start_two();
    Script script = answer("");
    script.pieces = {R"({"from":)", R"("gpu-1"})"};
    script.cut_before = 1;
    first->play(script);
    expect_second(chat(kAsk), "2");
}

TEST_F(ControlRetry, AStreamThatBreaksEndsWithAnErrorEventBetweenWholeEvents) {
    start_two();
    Script script = stream({std::string(kToken), std::string(kToken) + "data: {\"cho"});
    script.cut_before = 2;
    first->play(script);
    const Answer got = chat(R"({"model":"qwen","stream":true})");
    EXPECT_EQ(got.status, 200);
    EXPECT_TRUE(got.complete) << "the stream itself ends in order";
    const std::string events = std::string(kToken) + std::string(kToken);
    ASSERT_TRUE(got.body.starts_with(events)) << got.body;
    const std::string last = got.body.substr(events.size());
    EXPECT_TRUE(last.starts_with(R"(data: {"error":{)")) << last;
    EXPECT_TRUE(last.ends_with("}\n\n")) << last;
    EXPECT_TRUE(last.contains(R"("code":"WORKER_RESET")")) << last;
    EXPECT_FALSE(got.body.contains("[DONE]"));
    EXPECT_TRUE(second->seen().empty());
}

TEST_F(ControlRetry, AStreamWithoutItsLastEventIsBroken) {
    start_two();
    first->play(stream({std::string(kToken)}));
    const Answer got = chat(R"({"model":"qwen","stream":true})");
    EXPECT_TRUE(got.body.contains("WORKER_RESET")) << got.body;
}

TEST_F(ControlRetry, ANodeThatBreaksOffBehindTheLastEventChangesNothing) {
    start_two();
    Script script = stream({std::string(kToken), "data: [DONE]\n\n"});
    script.cut_before = 2;
    first->play(script);
    const Answer got = chat(R"({"model":"qwen","stream":true})");
    EXPECT_TRUE(got.complete);
    EXPECT_EQ(got.body, std::string(kToken) + "data: [DONE]\n\n");
}

TEST_F(ControlRetry, ALargeAnswerThatBreaksIsCutSoThatTheClientSees) {
    start_two();
    Script script = answer("");
    script.pieces = {std::string(2 * kMiB, 'x'), "rest"};
    script.cut_before = 1;
    for (const bool with_length : {true, false}) {
        script.with_length = with_length;
        first->play_next(script);
        const Answer got = chat(kAsk, "X-Llorch-Prefer: node:gpu-1\r\n");
        EXPECT_EQ(got.status, 200);
        EXPECT_FALSE(got.complete);
    }
}

TEST_F(ControlRetry, ADeadNodeDoesNotEatTheQueueOfABusyOne) {
    start();
    first = &join("gpu-1", {ready_pool("chat", "qwen", 1)});
    second = &join("gpu-2", {ready_pool("chat", "qwen", 1)});
    first->play(refusal(502, "WORKER_RESET"));
    Script held = answer(R"({"from":"gpu-2"})");
    held.gate_before = 0;
    second->play(held);
    RawClient holder = begin("POST", kChat, kAsk, "X-Llorch-Node: gpu-2\r\n");
    ASSERT_TRUE(second->wait_seen(1));
    RawClient waiting = begin("POST", kChat, kAsk);
    ASSERT_TRUE(wait_metric(R"(queue_depth{model="qwen",priority="interactive"} 1)"));
    // Several rounds in which the dead node has a free slot.
    beat(*first, {ready_pool("chat", "qwen", 1)});
    settle();
    beat(*first, {ready_pool("chat", "qwen", 1)});
    settle();
    second->open_gate();
    expect_second(waiting.read_answer(), "2");
    EXPECT_EQ(first->seen().size(), 1U);
}

TEST_F(ControlRetry, WhenAllFailTheLastFailureIsTheAnswerOnceTheWaitIsOver) {
    config.admission.queue_timeout = std::chrono::milliseconds(100);
    start_two();
    first->play(refusal(502, "WORKER_RESET"));
    second->play(refusal(502, "WORKER_RESET"));
    const Answer got = chat(kAsk);
    EXPECT_EQ(got.status, 502);
    EXPECT_EQ(code_of(got), "WORKER_RESET");
    EXPECT_TRUE(got.body.contains(R"("retriable":true)"));
    EXPECT_EQ(first->seen().size() + second->seen().size(), 2U);
}

TEST_F(ControlRetry, RetriesAreBounded) {
    config.gateway.retry_attempts = 1;
    start();
    for (const char* id : {"gpu-1", "gpu-2", "gpu-3"}) {
        join(id, {ready_pool("chat", "qwen")}).play(refusal(502, "WORKER_RESET"));
    }
    EXPECT_EQ(chat(kAsk).status, 502);
    EXPECT_EQ(nodes[0]->seen().size() + nodes[1]->seen().size() + nodes[2]->seen().size(), 2U);
}

TEST_F(ControlRetry, APinnedRequestIsNotTakenElsewhere) {
    start_two();
    first->play(refusal(502, "WORKER_RESET"));
    const Answer pinned = chat(kAsk, "X-Llorch-Node: gpu-1\r\n");
    EXPECT_EQ(code_of(pinned), "WORKER_RESET");
    EXPECT_TRUE(second->seen().empty());
    expect_second(chat(kAsk, "X-Llorch-Node: gpu-1\r\nX-Llorch-Fallback: true\r\n"), "2");
}

TEST_F(ControlRetry, ABodyTooLargeToKeepIsNotSentTwice) {
    start_two();
    first->play(refusal(502, "WORKER_RESET"));
    const std::string large =
        R"({"model":"qwen","prompt":")" + std::string(2 * kMiB, 'y') + R"("})";
    EXPECT_EQ(chat(large).status, 502);
    EXPECT_TRUE(second->seen().empty());
}

TEST_F(ControlRetry, ASilentNodeIsAskedOnceAndTheAnswerIsDecodeTimeout) {
    config.gateway.first_byte_limit = std::chrono::milliseconds(100);
    config.admission.queue_timeout = std::chrono::milliseconds(100);
    start();
    FakeNode& node = join("gpu-1", {ready_pool("chat", "qwen")});
    Script script = answer("{}");
    script.gate_before = 0;
    node.play(script);
    const Answer got = chat(kAsk);
    EXPECT_EQ(got.status, 504);
    EXPECT_EQ(code_of(got), "DECODE_TIMEOUT");
    EXPECT_TRUE(node.wait_left(1));
}

TEST_F(ControlRetry, AStreamThatFallsSilentEndsInDecodeTimeout) {
    config.gateway.idle_limit = std::chrono::milliseconds(100);
    start();
    FakeNode& node = join("gpu-1", {ready_pool("chat", "qwen")});
    Script script = stream({std::string(kToken), "data: [DONE]\n\n"});
    script.gate_before = 1;
    node.play(script);
    const Answer got = chat(R"({"model":"qwen","stream":true})");
    EXPECT_TRUE(got.complete);
    EXPECT_TRUE(got.body.contains("DECODE_TIMEOUT")) << got.body;
    EXPECT_TRUE(node.wait_left(1));
}

TEST_F(ControlRetry, WhatASilentNodeHoldsIsTakenElsewhereAtItsDeadline) {
    config.registry.node_timeout = std::chrono::milliseconds(400);
    config.gateway.node_timeout = config.registry.node_timeout;
    start_two();
    Script held = answer("{}");
    held.gate_before = 0;
    first->play(held);
    RawClient client = begin(
        "POST",
        kChat,
        kAsk,
        "X-Llorch-Prefer: node:gpu-1\r\n"
        "X-Llorch-Fallback: true\r\n"
    );
    ASSERT_TRUE(first->wait_seen(1));
    // gpu-2 goes on beating.
    ASSERT_TRUE(eventually([&] {
        beat(*second, {ready_pool("chat", "qwen")});
        return metrics().contains(R"(orchd_nodes_online{node_id="gpu-1"} 0)");
    }));
    expect_second(client.read_answer(), "2");
    EXPECT_TRUE(first->wait_left(1));
}

TEST_F(ControlRetry, AStreamOfASilentNodeEndsInWorkerResetAtItsDeadline) {
    config.registry.node_timeout = std::chrono::milliseconds(400);
    config.gateway.node_timeout = config.registry.node_timeout;
    start();
    FakeNode& node = join("gpu-1", {ready_pool("chat", "qwen")});
    Script script = stream({std::string(kToken), "data: [DONE]\n\n"});
    script.gate_before = 1;
    node.play(script);
    const Answer got = chat(R"({"model":"qwen","stream":true})");
    EXPECT_TRUE(got.complete);
    EXPECT_TRUE(got.body.contains("WORKER_RESET")) << got.body;
    EXPECT_TRUE(node.wait_left(1));
}

TEST_F(ControlRetry, ARefusedLeaseIsPlacedElsewhereAndIsNoAttempt) {
    config.gateway.retry_attempts = 0;
    start_two();
    first->play(refusal(503, "REPLICA_EXHAUSTED"));
    expect_second(chat(kAsk), "1");
    EXPECT_EQ(first->seen().size(), 1U);
}

TEST_F(ControlRetry, WhenAllRefuseTheRequestWaitsForTheNextRound) {
    start_two();
    first->play_next(refusal(503, "REPLICA_EXHAUSTED"));
    second->play_next(refusal(503, "REPLICA_EXHAUSTED"));
    first->play(answer(R"({"from":"gpu-2"})"));
    const Answer got = chat(kAsk);
    EXPECT_EQ(got.status, 200) << got.body;
    EXPECT_EQ(got.header("X-Llorch-Attempts"), "1");
    EXPECT_EQ(first->seen().size() + second->seen().size(), 3U);
}

TEST_F(ControlRetry, WhoIsAlwaysRefusedLeavesTheQueueAtItsTimeout) {
    config.admission.queue_timeout = std::chrono::milliseconds(500);
    start_two();
    first->play(refusal(503, "REPLICA_EXHAUSTED"));
    second->play(refusal(503, "REPLICA_EXHAUSTED"));
    const Answer got = chat(kAsk);
    EXPECT_EQ(got.status, 429);
    EXPECT_EQ(code_of(got), "ADMISSION_REJECT");
    EXPECT_EQ(metrics().contains(R"(queue_depth{model="qwen",priority="interactive"} 0)"), true);
}

}  // namespace
}  // namespace orch::loopback
