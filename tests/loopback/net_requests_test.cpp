#include "loopback/server_ring.hpp"

#include <fmt/format.h>

#include <stdexcept>

namespace orch::loopback {
namespace {

using net::Exchange;
using net::Method;

Task<void> stream(Exchange& exchange) {
    net::Headers headers;
    headers.add("Content-Type", "text/event-stream");
    co_await exchange.begin(200, std::move(headers), std::nullopt);
    for (const char* event : {"data: 1\n\n", "data: 2\n\n"}) {
        co_await exchange.write(event);
    }
    co_await exchange.end();
}

Task<void> no_content(Exchange& exchange) {
    net::Response response;
    response.status = 204;
    co_await exchange.respond(std::move(response));
}

Task<void> throw_a_defect(Exchange& exchange) {
    if (exchange.body().empty()) {
        throw std::runtime_error("a defect");
    }
    co_return;
}

Task<void> say_param(Exchange& exchange) {
    co_await say(exchange, exchange.param("id"));
}

Task<void> claim_frame(Exchange& exchange) {
    net::Response response = net::text_response(200, "text/plain", "ok");
    for (const char* name : {"Content-Length", "transfer-encoding", "Connection", "X-Request-Id"}) {
        response.headers.add(name, "7");
    }
    response.headers.add("X-Note", "a\r\nX-Evil: 1");
    co_await exchange.respond(std::move(response));
}

struct NetRequests : ServerRing {
    NetRequests() {
        add(Method::post, "/echo", echo);
        add(Method::get, "/hello", [](Exchange& exchange) { return say(exchange, "hello"); });
        add(Method::get, "/items/{id}", say_param);
        add(Method::get, "/stream", stream);
        add(Method::del, "/empty", no_content);
        add(Method::get, "/throws", throw_a_defect);
        add(Method::post, "/silent", throw_a_defect);
        add(Method::get, "/frame", claim_frame);
        serve();
    }

    RawClient client() const { return RawClient(address); }
};

TEST_F(NetRequests, OneConnectionServesManyRequests) {
    RawClient one = client();
    EXPECT_EQ(one.ask(post("/echo", "first")).body, "first");
    EXPECT_EQ(one.ask(get("/items/a%2Fb")).body, "a/b");
    EXPECT_EQ(one.ask(get("/stream")).body, "data: 1\n\ndata: 2\n\n");
    EXPECT_EQ(one.ask(post("/echo", "")).body, "");
    EXPECT_TRUE(wait_observed(4));
    EXPECT_EQ(observed().size(), 4U);
}

TEST_F(NetRequests, PipelinedRequestsAreAnsweredInOrder) {
    RawClient one = client();
    std::string requests;
    for (int i = 0; i < 50; ++i) {
        requests += post("/echo", fmt::format("body {}", i));
    }
    one.send(requests);
    for (int i = 0; i < 50; ++i) {
        ASSERT_EQ(one.read_answer().body, fmt::format("body {}", i));
    }
}

TEST_F(NetRequests, AChunkedBodyIsJoined) {
    RawClient one = client();
    one.send("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    one.send("2;x=y\r\nde\r\n0\r\nX-Trailer: 1\r\n\r\n");
    EXPECT_EQ(one.read_answer().body, "abcde");
    EXPECT_EQ(one.ask(get("/hello")).body, "hello");
}

TEST_F(NetRequests, ExpectContinueIsInvitedToSendItsBody) {
    RawClient one = client();
    one.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
    ASSERT_TRUE(one.socket().receive_until("HTTP/1.1 100 Continue\r\n\r\n"));
    EXPECT_EQ(one.ask("abc").body, "abc");
}

TEST_F(NetRequests, ExpectContinueIsRefusedAtTheHead) {
    RawClient one = client();
    const Answer answer = one.ask(
        "POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"
    );
    EXPECT_EQ(answer.status, 404);
    EXPECT_EQ(answer.header("Connection"), "close");
}

TEST_F(NetRequests, UnknownPathsAre404AndWrongVerbs405WithAllow) {
    RawClient one = client();
    const Answer unknown = one.ask(get("/nowhere"));
    EXPECT_EQ(unknown.status, 404);
    EXPECT_TRUE(unknown.body.contains("\"NOT_FOUND\"")) << unknown.body;
    EXPECT_EQ(one.ask(post("/nowhere", "a small body")).status, 404);
    const Answer verb = one.ask(get("/echo"));
    EXPECT_EQ(verb.status, 405);
    EXPECT_EQ(verb.header("Allow"), "POST");
    EXPECT_TRUE(verb.body.contains("\"METHOD_NOT_ALLOWED\"")) << verb.body;
    EXPECT_EQ(one.ask("BREW /hello HTTP/1.1\r\nHost: x\r\n\r\n").status, 400);
    EXPECT_EQ(
        client().ask("PATCH /hello HTTP/1.1\r\nHost: x\r\n\r\n").header("Allow"), "GET, HEAD"
    );
}

constexpr const char* kTwoLengths =
    "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n"
    "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n";

TEST_F(NetRequests, MalformedRequestsAreAnsweredAndTheConnectionEnds) {
    for (const char* request :
         {"\x16\x03\x01 hello\r\n\r\n",
          "GET /hello HTTP/1.1\r\nNo colon\r\n\r\n",
          "GET /hello HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
          "GET /hello HTTP/1.1\r\n\r\n",
          "GET /hello HTTP/2.0\r\nHost: x\r\n\r\n",
          kTwoLengths,
          "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
        RawClient one = client();
        one.send(request);
        const Answer answer = one.read_answer();
        EXPECT_EQ(answer.status, 400) << request;
        EXPECT_TRUE(answer.body.contains("\"INVALID_PARAMS\"")) << answer.body;
        EXPECT_EQ(answer.header("X-Correlation-Id").size(), 36U);
    }
}

TEST_F(NetRequests, ADefectOfAHandlerIsA500AndIsLogged) {
    RawClient one = client();
    const Answer answer = one.ask(get("/throws", "X-Correlation-Id: c-1\r\n"));
    EXPECT_EQ(answer.status, 500);
    EXPECT_TRUE(answer.body.contains("\"INTERNAL\"")) << answer.body;
    EXPECT_FALSE(answer.body.contains("a defect")) << answer.body;
    EXPECT_EQ(log.count("a defect"), 1U);
    EXPECT_EQ(one.ask(post("/silent", "x")).status, 500);
    EXPECT_EQ(log.count("it returned without an answer"), 1U);
    EXPECT_EQ(one.ask(get("/hello")).status, 200);
}

TEST_F(NetRequests, EveryAnswerCarriesTheCorrelationId) {
    RawClient one = client();
    for (const std::string& request :
         {get("/hello", "X-Correlation-Id: my.id-1\r\n"),
          get("/nope", "x-correlation-id: my.id-1\r\n"),
          get("/stream", "X-Correlation-Id: my.id-1\r\n"),
          get("/throws", "X-Correlation-Id: my.id-1\r\n"),
          std::string("DELETE /empty HTTP/1.1\r\nHost: x\r\nX-Correlation-Id: my.id-1\r\n\r\n")}) {
        const Answer answer = one.ask(request);
        EXPECT_EQ(answer.header("X-Correlation-Id"), "my.id-1") << request;
        EXPECT_EQ(answer.header("X-Request-Id"), "my.id-1") << request;
    }
    const Answer replaced = one.ask(get("/hello", "X-Correlation-Id: not valid\r\n"));
    EXPECT_EQ(replaced.header("X-Correlation-Id").size(), 36U);
    EXPECT_EQ(observed().front().correlation, "my.id-1");
}

TEST_F(NetRequests, NoContentHasNoBodyAndKeepsTheConnection) {
    RawClient one = client();
    const Answer answer = one.ask("DELETE /empty HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(answer.status, 204);
    EXPECT_FALSE(answer.headers.find("Content-Length"));
    EXPECT_FALSE(answer.headers.find("Transfer-Encoding"));
    EXPECT_EQ(one.ask(get("/hello")).body, "hello");
}

TEST_F(NetRequests, HeadIsGetWithoutItsBody) {
    RawClient one = client();
    for (const char* path : {"/hello", "/stream"}) {
        one.send(fmt::format("HEAD {} HTTP/1.1\r\nHost: x\r\n\r\n", path));
        const Answer answer = one.read_answer(true);
        EXPECT_EQ(answer.status, 200);
        EXPECT_EQ(answer.body, "");
        EXPECT_EQ(answer.header("Content-Length"), path == std::string("/hello") ? "5" : "");
    }
    EXPECT_EQ(one.ask(get("/hello")).body, "hello");
}

TEST_F(NetRequests, AnOldClientGetsItsAnswerUntilTheConnectionEnds) {
    RawClient one = client();
    const Answer answer = one.ask("GET /stream HTTP/1.0\r\n\r\n");
    EXPECT_EQ(answer.body, "data: 1\n\ndata: 2\n\n");
    EXPECT_TRUE(answer.complete);
    EXPECT_FALSE(answer.headers.find("Transfer-Encoding"));
    EXPECT_EQ(answer.header("Connection"), "close");
}

TEST_F(NetRequests, AnOldClientMayKeepItsConnection) {
    RawClient one = client();
    const Answer answer = one.ask("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_EQ(answer.header("Connection"), "keep-alive");
    EXPECT_EQ(one.ask("GET /hello HTTP/1.0\r\n\r\n").body, "hello");
    EXPECT_TRUE(one.at_end());
}

TEST_F(NetRequests, ConnectionCloseIsObeyedAndSaid) {
    RawClient one = client();
    const Answer answer = one.ask(get("/hello", "Connection: close\r\n"));
    EXPECT_EQ(answer.header("Connection"), "close");
    EXPECT_TRUE(one.at_end());
}

TEST_F(NetRequests, AHandlerCanNeitherFrameItsAnswerNorAddALine) {
    RawClient one = client();
    const Answer answer = one.ask(get("/frame"));
    EXPECT_EQ(answer.body, "ok");
    EXPECT_EQ(answer.header("Content-Length"), "2");
    EXPECT_EQ(answer.header("X-Request-Id").size(), 36U);
    EXPECT_FALSE(answer.headers.find("X-Evil"));
    EXPECT_EQ(one.ask(get("/hello")).body, "hello");
}

}  // namespace
}  // namespace orch::loopback
