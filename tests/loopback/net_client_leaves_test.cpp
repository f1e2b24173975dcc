#include "loopback/server_ring.hpp"

namespace orch::loopback {
namespace {

using net::Exchange;
using net::Method;

// A request that waits, as in a queue, until its client has left.
Task<void> wait_for_leaving(Exchange& exchange, Signal& entered, Signal& gone) {
    async::Handoff<bool> left(exchange.edge().loop().executor());
    exchange.on_client_gone([left, &gone]() mutable {
        gone.set();
        left.set(true);
    });
    entered.set();
    co_await left.wait();
    co_await say(exchange, "too late");
}

Task<void> wait_mid_stream(Exchange& exchange, Signal& entered, Signal& gone) {
    co_await exchange.begin(200, {}, std::nullopt);
    co_await exchange.write("data: 1\n\n");
    co_await wait_for_leaving(exchange, entered, gone);
}

// Its client leaves after the handler has thrown: what on_client_gone refers to is gone then.
Task<void> throw_with_a_wish(Exchange& exchange, Signal& gone) {
    exchange.on_client_gone([&gone] { gone.set(); });
    throw std::runtime_error("a defect");
    co_return;
}

Task<void> break_off(Exchange& exchange, std::optional<Bytes> length) {
    co_await exchange.begin(200, {}, length);
    co_await exchange.write("abc");
    exchange.abort();
}

Task<void> forget_the_end(Exchange& exchange) {
    co_await exchange.begin(200, {}, std::nullopt);
    co_await exchange.write("abc");
}

struct NetClientLeaves : ServerRing {
    Signal entered;
    Signal gone;

    NetClientLeaves() {
        add(Method::get, "/wait", [this](Exchange& exchange) {
            return wait_for_leaving(exchange, entered, gone);
        });
        add(Method::get, "/stream", [this](Exchange& exchange) {
            return wait_mid_stream(exchange, entered, gone);
        });
        add(Method::get, "/throws", [this](Exchange& exchange) {
            return throw_with_a_wish(exchange, gone);
        });
        add(Method::get, "/cut", [](Exchange& exchange) {
            return break_off(exchange, std::nullopt);
        });
        add(Method::get, "/short", [](Exchange& exchange) { return break_off(exchange, 10); });
        add(Method::get, "/unended", forget_the_end);
        add(Method::get, "/ok", [](Exchange& exchange) { return say(exchange, "ok"); });
        serve();
    }

    // Sends a request, lets its handler begin, lets `leave` leave and expects that to be told.
    template <class Leave>
    void expect_gone(std::string_view requests, Leave leave) {
        RawSocket client = RawSocket::connect_to(address);
        client.send(requests);
        ASSERT_TRUE(entered.wait());
        leave(client);
        EXPECT_TRUE(gone.wait());
        ASSERT_TRUE(wait_observed(1));
        EXPECT_TRUE(observed().front().client_gone);
    }
};

TEST_F(NetClientLeaves, IsToldToAHandlerThatWaits) {
    expect_gone(get("/wait"), [](RawSocket& client) { client.close(); });
}

TEST_F(NetClientLeaves, IsToldWhenTheClientBreaksOff) {
    expect_gone(get("/wait"), [](RawSocket& client) { client.reset(); });
}

TEST_F(NetClientLeaves, IsToldWhenTheClientOnlyStopsSending) {
    expect_gone(get("/wait"), [](RawSocket& client) { client.finish_sending(); });
}

TEST_F(NetClientLeaves, IsToldInTheMiddleOfAStream) {
    expect_gone(get("/stream"), [](RawSocket& client) {
        ASSERT_TRUE(client.receive_until("data: 1"));
        client.close();
    });
}

TEST_F(NetClientLeaves, IsToldBehindPipelinedBytes) {
    expect_gone(get("/wait"), [](RawSocket& client) {
        client.send(get("/ok"));
        client.close();
    });
}

TEST_F(NetClientLeaves, BytesSentAheadAreNoLeaving) {
    RawSocket client = RawSocket::connect_to(address);
    client.send(get("/wait"));
    ASSERT_TRUE(entered.wait());
    client.send(get("/ok"));
    EXPECT_FALSE(gone.wait(std::chrono::milliseconds(200)));
    client.close();
    EXPECT_TRUE(gone.wait());
}

TEST_F(NetClientLeaves, AWishDiesWithItsHandler) {
    RawClient client(address);
    EXPECT_EQ(client.ask(get("/throws")).status, 500);
    client.socket().close();
    EXPECT_FALSE(gone.wait(std::chrono::milliseconds(100)));
}

TEST_F(NetClientLeaves, AnAbortedAnswerIsNoCompleteOne) {
    for (const char* path : {"/cut", "/short", "/unended"}) {
        const Fetched got = fetch_from(request(Method::get, path));
        EXPECT_EQ(got.failure, net::UpstreamFailure::reset_mid_body) << path;
        EXPECT_EQ(got.body, "abc") << path;
    }
    EXPECT_EQ(fetch_from(request(Method::get, "/ok")).failure, net::UpstreamFailure::none);
}

TEST_F(NetClientLeaves, AnAbortedAnswerIsToldToAnOldClientToo) {
    for (const char* path : {"/cut", "/unended"}) {
        RawClient client(address);
        const Answer answer = client.ask(std::string("GET ") + path + " HTTP/1.0\r\n\r\n");
        EXPECT_FALSE(answer.complete) << path;
    }
}

}  // namespace
}  // namespace orch::loopback
