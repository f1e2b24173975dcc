#include "loopback/control_ring.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace orch::loopback {
namespace {

constexpr std::string_view kAsk =
    R"({"model":"qwen","stream":true,"temperature":0,"max_tokens":5,)"
    R"("messages":[{"role":"user","content":"hi"}],"stream_options":{"include_usage":true}})";
constexpr std::string_view kFirst = "X-Llorch-Prefer: node:gpu-1\r\nX-Llorch-Fallback: true\r\n";
constexpr std::string_view kDone = "data: [DONE]\n\n";

std::string event(std::string_view choices, std::string_view more = "") {
    return fmt::format(
        R"(data: {{"choices":[{}],"created":7,"id":"chatcmpl-1","model":"qwen",)"
        R"("object":"chat.completion.chunk"{}}})"
        "\n\n",
        choices,
        more
    );
}

std::string role() {
    return event(R"({"finish_reason":null,"index":0,"delta":{"role":"assistant","content":null}})");
}

std::string word(std::string_view text) {
    return event(
        fmt::format(R"({{"finish_reason":null,"index":0,"delta":{{"content":"{}"}}}})", text)
    );
}

std::string finish(std::string_view reason) {
    return event(fmt::format(R"({{"finish_reason":"{}","index":0,"delta":{{}}}})", reason));
}

std::string usage(int prompt, int completion) {
    return event(
        "",
        fmt::format(
            R"(,"usage":{{"completion_tokens":{},"prompt_tokens":{},"total_tokens":{}}})",
            completion,
            prompt,
            prompt + completion
        )
    );
}

std::string raw_word(std::string_view text, int count) {
    return fmt::format(
        R"(data: {{"index":0,"content":"{}","tokens":[9],"stop":false,"tokens_predicted":{}}})"
        "\n\n",
        text,
        count
    );
}

std::string raw_end(std::string_view type, int count) {
    return fmt::format(
        R"(data: {{"index":0,"content":"","stop":true,"stop_type":"{}","tokens_predicted":{}}})"
        "\n\n",
        type,
        count
    );
}

Script broken_after(std::vector<std::string> pieces) {
    Script script = stream(std::move(pieces));
    script.cut_before = script.pieces.size();
    return script;
}

const Script kTemplate = answer(R"({"prompt":"<u>hi<a>"})");
const Script kPromptTokens =
    answer(R"({"tokens":[{"id":1,"piece":"<u>"},{"id":2,"piece":"hi<a>"}]})");
const Script kTextTokens = answer(R"({"tokens":[{"id":3,"piece":" a"},{"id":4,"piece":" b"}]})");

struct ControlContinuation : ControlRing {
    // gpu-1 dies behind " a b".
    void start_two() {
        start();
        first = &join("gpu-1", {ready_pool("chat", "qwen")});
        second = &join("gpu-2", {ready_pool("chat", "qwen")});
        first->play(broken_after({role() + word(" a"), word(" b") + "data: {\"choi"}));
    }

    static void take_up(FakeNode& node, Script rest) {
        for (const Script& script : {kTemplate, kPromptTokens, kTextTokens}) {
            node.play_next(script);
        }
        node.play_next(std::move(rest));
    }

    void expect_free() {
        EXPECT_TRUE(eventually([&] {
            const std::string pools = ask("GET", "/v2/pools").body;
            return pools.contains(R"("claimed":0)") && !pools.contains(R"("claimed":1)");
        }));
    }

    void expect_reset(const Answer& got) {
        EXPECT_TRUE(got.complete);
        EXPECT_TRUE(got.body.contains(R"("code":"WORKER_RESET")")) << got.body;
        EXPECT_FALSE(got.body.contains("[DONE]"));
        expect_free();
    }

    const std::string sent = role() + word(" a") + word(" b");
    FakeNode* first = nullptr;
    FakeNode* second = nullptr;
};

TEST_F(ControlContinuation, AStreamThatBreaksGoesOnElsewhereAsIfNothingHadHappened) {
    start_two();
    take_up(*second, stream({raw_word(" c", 1), raw_word(" d", 2) + raw_end("eos", 3)}));
    const Answer got = chat(kAsk, kFirst);
    EXPECT_TRUE(got.complete);
    EXPECT_EQ(
        got.body, sent + word(" c") + word(" d") + finish("stop") + usage(2, 5) + std::string(kDone)
    );
    EXPECT_EQ(got.header("X-Llorch-Node"), "gpu-1");
    const auto seen = second->seen();
    ASSERT_EQ(seen.size(), 4U);
    EXPECT_EQ(seen[0].target, "/v2/pools/chat/engine/apply-template");
    EXPECT_EQ(seen[0].body, kAsk);
    EXPECT_EQ(seen[1].target, "/v2/pools/chat/engine/tokenize");
    EXPECT_TRUE(seen[1].body.contains("<u>hi<a>")) << seen[1].body;
    EXPECT_TRUE(seen[2].body.contains(R"("content":" a b")")) << seen[2].body;
    EXPECT_EQ(seen[3].target, "/v2/pools/chat/engine/completion");
    EXPECT_TRUE(seen[3].body.contains(R"("prompt":[1,2,3,4])")) << seen[3].body;
    EXPECT_TRUE(seen[3].body.contains(R"("n_predict":3)")) << seen[3].body;
    expect_free();
    EXPECT_TRUE(wait_metric(R"(orchd_second_tries_total{kind="continuation",outcome="tried"} 1)"));
}

TEST_F(ControlContinuation, WhatIsHeldBackAtTheEndIsNotSentTwice) {
    start_two();
    first->play(broken_after({role() + word(" a"), word(" b"), finish("stop") + usage(2, 3)}));
    take_up(*second, stream({raw_end("eos", 1)}));
    const Answer got = chat(kAsk, kFirst);
    EXPECT_EQ(got.body, sent + finish("stop") + usage(2, 3) + std::string(kDone));
}

TEST_F(ControlContinuation, ATaskGoesOnElsewhereToo) {
    start_two();
    take_up(*second, stream({raw_word(" c", 1), raw_end("eos", 2)}));
    const Answer accepted =
        ask("POST",
            "/v2/tasks",
            R"({"task_id":"t1","model":"qwen","messages":[{"role":"user","content":"hi"}]})");
    ASSERT_EQ(accepted.status, 202) << accepted.body;
    ASSERT_TRUE(eventually([&] {
        return ask("GET", "/v2/tasks/t1").body.contains(R"("state":"done")");
    })) << ask("GET", "/v2/tasks/t1").body;
    const std::string task = ask("GET", "/v2/tasks/t1").body;
    EXPECT_TRUE(task.contains(R"("output":" a b c")")) << task;
    EXPECT_TRUE(task.contains(R"("tokens_out":4)")) << task;
    EXPECT_TRUE(task.contains(R"("node_id":"gpu-2")")) << task;
    EXPECT_EQ(second->seen().size(), 4U);
    expect_free();
}

TEST_F(ControlContinuation, AnAnswerThatHadAllItsTokensIsEndedWithoutAnEngine) {
    start_two();
    std::string ask(kAsk);
    ask.replace(ask.find("\"max_tokens\":5"), 14, "\"max_tokens\":2");
    take_up(*second, answer("{}"));
    const Answer got = chat(ask, kFirst);
    EXPECT_TRUE(got.complete);
    EXPECT_EQ(got.body, sent + finish("length") + usage(2, 2) + std::string(kDone));
    EXPECT_EQ(second->seen().size(), 3U);
    expect_free();
}

TEST_F(ControlContinuation, AContinuationThatBreaksIsContinued) {
    start_two();
    FakeNode& third = join("gpu-3", {ready_pool("chat", "qwen")});
    take_up(*second, broken_after({raw_word(" c", 1)}));
    take_up(third, broken_after({raw_word(" c", 1)}));
    const Script three = answer(R"({"tokens":[{"id":3,"piece":" a b"},{"id":4,"piece":" c"}]})");
    const Script rest = stream({raw_end("eos", 1)});
    for (FakeNode* const node : {second, &third}) {
        for (const Script& script : {kTemplate, kPromptTokens, three, rest}) {
            node->play_next(script);
        }
    }
    const Answer got = chat(kAsk, kFirst);
    // Whichever came second broke, and the other one began with the first four scripts.
    EXPECT_TRUE(got.body.starts_with(sent + word(" c"))) << got.body;
    EXPECT_EQ(got.body.find(word(" c")), got.body.rfind(word(" c"))) << got.body;
    expect_free();
}

TEST_F(ControlContinuation, ARefusedLeaseIsAskedForElsewhere) {
    start_two();
    for (const Script& script : {kTemplate, kPromptTokens, kTextTokens}) {
        second->play_next(script);
    }
    second->play_next(refusal(503, "REPLICA_EXHAUSTED"));
    take_up(*second, stream({raw_end("limit", 1)}));
    const Answer got = chat(kAsk, kFirst);
    EXPECT_EQ(got.body, sent + finish("length") + usage(2, 3) + std::string(kDone));
    expect_free();
}

TEST_F(ControlContinuation, WhatCannotBeExactEndsWithAnErrorEvent) {
    start_two();
    std::string ask(kAsk);
    ask.insert(1, R"("tools":[{"type":"function"}],)");
    expect_reset(chat(ask, kFirst));
    EXPECT_TRUE(second->seen().empty());
    EXPECT_TRUE(
        wait_metric(R"(orchd_second_tries_total{kind="continuation",outcome="impossible"} 1)")
    );
}

TEST_F(ControlContinuation, TokensThatSpellAnotherTextEndItWithAnErrorEvent) {
    start_two();
    const Script other = answer(R"({"tokens":[{"id":3,"piece":" a"},{"id":4,"piece":"b"}]})");
    for (const Script& script : {kTemplate, kPromptTokens, other, other}) {
        second->play_next(script);
    }
    expect_reset(chat(kAsk, kFirst));
}

TEST_F(ControlContinuation, AnEngineWithoutTheEndpointsEndsItWithAnErrorEvent) {
    config.admission.queue_timeout = std::chrono::milliseconds(100);
    start_two();
    second->play(answer("{}", 404));
    expect_reset(chat(kAsk, kFirst));
}

TEST_F(ControlContinuation, WithoutBudgetTheStreamEndsWithAnErrorEvent) {
    config.gateway.retry_budget = {.share = 0, .floor = 0};
    start_two();
    expect_reset(chat(kAsk, kFirst));
    EXPECT_TRUE(second->seen().empty());
    EXPECT_TRUE(
        wait_metric(R"(orchd_second_tries_total{kind="continuation",outcome="over_budget"} 1)")
    );
}

TEST_F(ControlContinuation, AClientThatLeavesInItsMiddleLeavesTheEngineToo) {
    start_two();
    Script held = stream({raw_word(" c", 1), raw_end("eos", 2)});
    held.gate_before = 1;
    take_up(*second, held);
    {
        RawClient client = begin("POST", kChat, kAsk, kFirst);
        ASSERT_TRUE(second->wait_seen(4));
    }
    EXPECT_TRUE(second->wait_left(1));
    expect_free();
}

TEST_F(ControlContinuation, AStreamThatHeldOnlyCommentsBeginsAnew) {
    start_two();
    first->play(broken_after({":\n\n"}));
    second->play(stream({role() + word(" a"), finish("stop") + std::string(kDone)}));
    const Answer got = chat(kAsk, kFirst);
    EXPECT_TRUE(got.complete);
    EXPECT_EQ(got.body, ":\n\n" + role() + word(" a") + finish("stop") + std::string(kDone));
    ASSERT_EQ(second->seen().size(), 1U);
    EXPECT_EQ(second->seen()[0].body, kAsk);
}

TEST_F(ControlContinuation, APinnedStreamGoesOnWhenItsPoolIsBack) {
    start();
    first = &join("gpu-1", {ready_pool("chat", "qwen")});
    first->play_next(broken_after({role() + word(" a"), word(" b")}));
    RawClient client = begin("POST", kChat, kAsk, "X-Llorch-Node: gpu-1\r\n");
    ASSERT_TRUE(wait_metric(R"(queue_depth{model="qwen",priority="interactive"} 1)"));
    take_up(*first, stream({raw_end("eos", 1)}));
    api::PoolReport down = ready_pool("chat", "qwen");
    down.ready = false;
    beat(*first, {down});
    EXPECT_EQ(first->seen().size(), 1U) << "it was asked again in the life in which it failed";
    beat(*first, {ready_pool("chat", "qwen")});
    const Answer got = client.read_answer();
    EXPECT_EQ(got.body, sent + finish("stop") + usage(2, 3) + std::string(kDone));
    expect_free();
}

TEST_F(ControlContinuation, ARequestWhoseOnlyEngineDiedWaitsForTheNextOne) {
    start();
    first = &join("gpu-1", {ready_pool("chat", "qwen")});
    first->play_next(refusal(502, "WORKER_RESET"));
    first->play(answer(R"({"from":"the next"})"));
    RawClient client = begin("POST", kChat, R"({"model":"qwen"})");
    ASSERT_TRUE(wait_metric(R"(queue_depth{model="qwen",priority="interactive"} 1)"));
    api::PoolReport down = ready_pool("chat", "qwen");
    down.ready = false;
    beat(*first, {down});
    beat(*first, {ready_pool("chat", "qwen")});
    const Answer got = client.read_answer();
    EXPECT_EQ(got.status, 200) << got.body;
    EXPECT_EQ(got.header("X-Llorch-Attempts"), "2");
}

}  // namespace
}  // namespace orch::loopback
