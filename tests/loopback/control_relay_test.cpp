#include "loopback/control_ring.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace orch::loopback {
namespace {

using ControlRelay = ControlRing;

constexpr std::string_view kAsk = R"({"model":"qwen","messages":[],"unknown":[1, 2.50]})";
constexpr std::string_view kAskStream = R"({"model":"qwen","stream":true})";

std::string token_event(std::string_view text) {
    return fmt::format("data: {{\"choices\":[{{\"delta\":{{\"content\":\"{}\"}}}}]}}\n\n", text);
}

TEST_F(ControlRelay, AnAnswerReachesTheClientAsTheEngineGaveIt) {
    start();
    FakeNode& node = join("gpu-1", {ready_pool("chat", "qwen")});
    Script script = answer(R"({"id":"x", "n": 1.50})");
    script.headers.add("X-Engine", "1");
    script.headers.add("Access-Control-Allow-Origin", "*");
    node.play(script);
    const Answer got = chat(kAsk, "X-Correlation-Id: abc-1\r\n");
    EXPECT_EQ(got.status, 200);
    EXPECT_EQ(got.body, R"({"id":"x", "n": 1.50})");
    EXPECT_EQ(got.header("Content-Type"), "application/json");
    EXPECT_EQ(got.header("X-Engine"), "1");
    EXPECT_EQ(got.header("X-Llorch-Node"), "gpu-1");
    EXPECT_EQ(got.header("X-Llorch-Pool"), "chat");
    EXPECT_EQ(got.header("X-Llorch-Attempts"), "1");
    EXPECT_EQ(got.header("X-Llorch-Origin"), "");
    EXPECT_EQ(got.header("Access-Control-Allow-Origin"), "");
    EXPECT_EQ(got.header("X-Correlation-Id"), "abc-1");
    EXPECT_EQ(got.header("X-Request-Id"), "abc-1");
    ASSERT_EQ(node.seen().size(), 1U);
    EXPECT_EQ(node.seen()[0].body, kAsk);
    EXPECT_EQ(node.seen()[0].target, "/v2/pools/chat/engine/v1/chat/completions");
}

TEST_F(ControlRelay, CompletionsAndTheirQueriesTakeTheSameWay) {
    start();
    FakeNode& node = join("gpu-1", {ready_pool("chat", "qwen")});
    EXPECT_EQ(ask("POST", "/v1/completions?a=b%20c", kAsk).status, 200);
    EXPECT_EQ(node.seen().at(0).target, "/v2/pools/chat/engine/v1/completions?a=b%20c");
}

TEST_F(ControlRelay, TheNodeGetsTheClustersTokenAndNothingOfTheClients) {
    start();
    FakeNode& node = join("gpu-1", {ready_pool("chat", "qwen")});
    const std::string from_client =
        "X-Correlation-Id: abc-1\r\n"
        "traceparent: 00-0123456789abcdef0123456789abcdef-0123456789abcdef-01\r\n"
        "X-Api-Key: the-clients-key\r\nCookie: the-clients=cookie\r\n"
        "X-Conversation-Id: c1\r\nOrigin: https://page.example\r\n"
        "Connection: keep-alive, X-Hop\r\nX-Hop: 1\r\nTE: trailers\r\nKeep-Alive: 5\r\n"
        "X-Llorch-Prefer: node:gpu-1\r\nX-Llorch-Fallback: true\r\n"
        "Content-Type: application/json\r\nX-Session-Id: s1\r\n";
    ASSERT_EQ(chat(kAsk, from_client).status, 200);
    const net::Headers got = node.seen().at(0).headers;
    EXPECT_EQ(got.find("Authorization"), std::string("Bearer ") + kClusterToken);
    EXPECT_EQ(got.find("X-Correlation-Id"), "abc-1");
    EXPECT_EQ(got.find("traceparent"), "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01");
    EXPECT_EQ(got.find("Content-Type"), "application/json");
    EXPECT_EQ(got.find("X-Session-Id"), "s1");
    EXPECT_EQ(got.find("Host"), to_string(node.address()));
    for (const char* name :
         {"X-Api-Key",
          "Cookie",
          "X-Conversation-Id",
          "Origin",
          "X-Hop",
          "TE",
          "Keep-Alive",
          "X-Llorch-Prefer",
          "X-Llorch-Fallback"}) {
        EXPECT_FALSE(got.find(name)) << name;
    }
    const auto tokens = std::ranges::count_if(got.fields(), [](const net::Headers::Field& field) {
        return net::iequals(field.name, "Authorization");
    });
    EXPECT_EQ(tokens, 1);
}

TEST_F(ControlRelay, AStreamComesByteForByteHoweverItIsCut) {
    start();
    FakeNode& node = join("gpu-1", {ready_pool("chat", "qwen")});
    const std::string whole = token_event("one") + ": a comment\n\n" + token_event("\\\"two\\\"") +
                              "event: x\r\ndata: y\r\n\r\n" + "data: [DONE]\n\n";
    for (std::size_t size : {1UL, 7UL, 50UL, whole.size()}) {
        std::vector<std::string> pieces;
        for (std::size_t at = 0; at < whole.size(); at += size) {
            pieces.push_back(whole.substr(at, size));
        }
        node.play(stream(pieces));
        const Answer got = chat(kAskStream);
        EXPECT_EQ(got.status, 200);
        EXPECT_TRUE(got.complete);
        EXPECT_EQ(got.body, whole) << "pieces of " << size;
        EXPECT_EQ(got.header("Content-Type"), "text/event-stream");
        EXPECT_EQ(got.header("X-Llorch-Node"), "gpu-1");
    }
    EXPECT_TRUE(eventually([&] { return log.count(R"("tokens":"2")") == 4; }));
}

TEST_F(ControlRelay, EventsReachTheClientWhenTheyComeAndNotAtTheEnd) {
    start();
    FakeNode& node = join("gpu-1", {ready_pool("chat", "qwen")});
    Script script = stream({token_event("one"), token_event("two"), "data: [DONE]\n\n"});
    script.gate_before = 1;
    node.play(script);
    RawClient client = begin("POST", kChat, kAskStream);
    ASSERT_TRUE(client.socket().receive_until("one"));
    node.open_gate();
    EXPECT_TRUE(client.socket().receive_until("[DONE]"));
}

TEST_F(ControlRelay, TheEnginesOwnErrorsPassUnchanged) {
    start();
    FakeNode& node = join("gpu-1", {ready_pool("chat", "qwen")});
    for (const int status : {400, 404, 500, 503}) {
        node.play(answer(R"({"error":{"code":1,"message":"of the engine"}})", status));
        const Answer got = chat(kAsk);
        EXPECT_EQ(got.status, status);
        EXPECT_EQ(got.body, R"({"error":{"code":1,"message":"of the engine"}})");
    }
    EXPECT_EQ(node.seen().size(), 4U) << "none of them is retried";
}

TEST_F(ControlRelay, LargeAnswersAndBodiesPass) {
    start();
    FakeNode& node = join("gpu-1", {ready_pool("chat", "qwen")});
    std::string piece(256 * 1024, 'x');
    Script script = answer("");
    script.pieces.assign(12, piece);
    for (const bool with_length : {true, false}) {
        script.with_length = with_length;
        node.play(script);
        const Answer got = chat(kAsk);
        EXPECT_EQ(got.status, 200);
        EXPECT_TRUE(got.complete);
        EXPECT_EQ(got.body.size(), 3 * kMiB);
        EXPECT_EQ(got.header("Content-Length"), with_length ? "3145728" : "");
    }
    node.play(answer("{}"));
    const std::string large =
        R"({"model":"qwen","prompt":")" + std::string(5 * kMiB, 'y') + R"("})";
    EXPECT_EQ(chat(large).status, 200);
    EXPECT_TRUE(node.seen().back().body == large);
}

TEST_F(ControlRelay, OneConnectionServesManyRequestsOnSeveralEdges) {
    config.edge_threads = 3;
    start();
    FakeNode& node = join("gpu-1", {ready_pool("chat", "qwen", 100)});
    for (int connection = 0; connection < 6; ++connection) {
        RawClient client(address);
        for (int i = 0; i < 5; ++i) {
            const Answer got = client.ask(fmt::format(
                "POST {} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n"
                "Content-Length: {}\r\n\r\n{}",
                kChat,
                kClusterToken,
                kAsk.size(),
                kAsk
            ));
            ASSERT_EQ(got.status, 200);
        }
    }
    EXPECT_EQ(node.seen().size(), 30U);
}

TEST_F(ControlRelay, AClientThatLeavesInMidStreamClosesTheUpstream) {
    start();
    FakeNode& node = join("gpu-1", {ready_pool("chat", "qwen", 1)});
    Script script = stream({token_event("one"), token_event("two")});
    script.gate_before = 1;
    node.play_next(script);
    {
        RawClient client = begin("POST", kChat, kAskStream);
        ASSERT_TRUE(client.socket().receive_until("one"));
        client.socket().close();
    }
    EXPECT_TRUE(node.wait_left(1));
    EXPECT_EQ(chat(kAsk).status, 200) << "its only slot is free again";
    EXPECT_EQ(log.count("a place failed"), 0U);
}

TEST_F(ControlRelay, AClientThatLeavesBeforeTheAnswerClosesTheUpstream) {
    start();
    FakeNode& node = join("gpu-1", {ready_pool("chat", "qwen", 1)});
    Script script = answer("{}");
    script.gate_before = 0;
    node.play_next(script);
    {
        RawClient client = begin("POST", kChat, kAsk);
        ASSERT_TRUE(node.wait_seen(1));
    }
    EXPECT_TRUE(node.wait_left(1));
    EXPECT_EQ(chat(kAsk).status, 200);
    EXPECT_EQ(log.count("a place failed"), 0U) << "nobody but the client is to blame";
}

TEST_F(ControlRelay, WhatIsNoRequestNeverLeaves) {
    start();
    FakeNode& node = join("gpu-1", {ready_pool("chat", "qwen")});
    for (const char* body : {"", "no json", "[]", R"({"model":3})", R"({"model":"qwen")"}) {
        const Answer got = chat(body);
        EXPECT_EQ(got.status, 400) << body;
        EXPECT_EQ(code_of(got), "INVALID_PARAMS");
    }
    EXPECT_EQ(code_of(chat(kAsk, "X-Llorch-Node: a b\r\n")), "INVALID_PARAMS");
    EXPECT_TRUE(node.seen().empty());
}

}  // namespace
}  // namespace orch::loopback
