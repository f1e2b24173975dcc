#include "loopback/server_ring.hpp"
#include "net/http_call.hpp"

#include <thread>

namespace orch::loopback {
namespace {

using net::ClientExchange;
using net::ClientRequest;
using net::Exchange;
using net::Method;
using net::UpstreamFailure;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

// A client against a peer that the test plays by hand.
struct NetClient : ServerRing {
    RawListener peer;

    NetClient() {
        add(Method::get, "/hello", [](Exchange& exchange) { return say(exchange, "hello"); });
        serve();
    }

    ClientRequest to_peer() const {
        ClientRequest made = request(Method::get, "/x");
        made.to = peer.address();
        return made;
    }

    std::future<Fetched> start(ClientRequest request, Duration idle_limit = kGuard) {
        return on_client_edge(fetch(client_edge.clients(), std::move(request), idle_limit));
    }

    // What the client makes of an answer after which the peer closes.
    Fetched read(std::string_view answer, bool with_reset = false) {
        auto future = start(to_peer());
        RawSocket socket = peer.accept();
        EXPECT_TRUE(socket.receive_until("\r\n\r\n"));
        socket.send(answer);
        if (with_reset) {
            socket.reset();
        } else {
            socket.close();
        }
        return future.get();
    }
};

TEST_F(NetClient, SendsARequestAndReadsTheAnswer) {
    ClientRequest sent = to_peer();
    sent.method = Method::post;
    sent.headers.add("X-A", "1\r\nX-Evil: 1");
    sent.headers.add("Host", "elsewhere");
    sent.headers.add("content-length", "999");
    sent.headers.add("Transfer-Encoding", "chunked");
    sent.body = "body";
    auto future = start(std::move(sent));
    RawSocket socket = peer.accept();
    ASSERT_TRUE(socket.receive_until("body"));
    socket.send(kOk);
    const Fetched got = future.get();
    EXPECT_EQ(got.status, 200);
    EXPECT_EQ(got.body, "ok");
    client_edge.loop().post([this] { client_edge.clients().close_idle(); });
    EXPECT_EQ(
        socket.receive_all(),
        "POST /x HTTP/1.1\r\nHost: " + to_string(peer.address()) +
            "\r\nX-A: 1  X-Evil: 1\r\nContent-Length: 4\r\n\r\nbody"
    );
}

TEST_F(NetClient, ATargetThatWouldAddALineIsNotSent) {
    for (const char* target : {"/a HTTP/1.1\r\nX-Evil: 1", "", "/a b"}) {
        ClientRequest sent = to_peer();
        sent.target = target;
        EXPECT_EQ(start(std::move(sent)).get().failure, UpstreamFailure::malformed);
    }
}

TEST_F(NetClient, AConnectionIsUsedAgain) {
    auto first = start(to_peer());
    RawSocket socket = peer.accept();
    ASSERT_TRUE(socket.receive_until("\r\n\r\n"));
    socket.send(kOk);
    EXPECT_EQ(first.get().body, "ok");
    auto second = start(to_peer());
    ASSERT_TRUE(socket.receive_until("\r\n\r\nGET"));
    socket.send(kOk);
    EXPECT_EQ(second.get().body, "ok");
}

TEST_F(NetClient, AConnectionThatThePeerClosedInBetweenIsReplacedOnce) {
    auto first = start(to_peer());
    {
        RawSocket socket = peer.accept();
        ASSERT_TRUE(socket.receive_until("\r\n\r\n"));
        socket.send(kOk);
        EXPECT_EQ(first.get().body, "ok");
    }
    auto second = start(to_peer());
    RawSocket socket = peer.accept();
    ASSERT_TRUE(socket.receive_until("\r\n\r\n"));
    socket.send(kOk);
    const Fetched got = second.get();
    EXPECT_EQ(got.failure, UpstreamFailure::none);
    EXPECT_EQ(got.body, "ok");
}

TEST_F(NetClient, AFreshConnectionThatDiesIsNotReplaced) {
    EXPECT_EQ(read("").failure, UpstreamFailure::reset_before_head);
    EXPECT_EQ(read("HTTP/1.1 200 OK\r\nConte").failure, UpstreamFailure::reset_before_head);
}

TEST_F(NetClient, HeadIsAnsweredByAHeadAlone) {
    ClientRequest sent = request(Method::head, "/hello");
    const Fetched got = fetch_from(sent);
    EXPECT_EQ(got.failure, UpstreamFailure::none);
    EXPECT_EQ(got.headers.find("Content-Length"), "5");
    EXPECT_EQ(got.body, "");
    EXPECT_EQ(fetch_from(request(Method::get, "/hello")).body, "hello");
}

TEST_F(NetClient, RefusedWhenNobodyListens) {
    HostPort nobody;
    {
        const RawListener gone;
        nobody = gone.address();
    }
    ClientRequest sent = to_peer();
    sent.to = nobody;
    EXPECT_EQ(start(std::move(sent)).get().failure, UpstreamFailure::refused);
}

TEST_F(NetClient, NamesAreLookedUp) {
    ClientRequest sent = request(Method::get, "/hello");
    sent.to.host = "localhost";
    EXPECT_EQ(fetch_from(std::move(sent)).body, "hello");
    sent = request(Method::get, "/hello");
    sent.to.host = "no such host";
    sent.connect_limit = kGuard;
    EXPECT_EQ(fetch_from(std::move(sent)).failure, UpstreamFailure::unresolved);
}

// A listening socket whose queue is full: connecting there gets no answer.
struct BlackHole {
    RawListener listener{0};
    std::vector<RawSocket> fill;

    BlackHole() { fill.push_back(RawSocket::connect_to(listener.address())); }
};

TEST_F(NetClient, AConnectionThatIsNotMadeInTimeIsGivenUp) {
    const BlackHole hole;
    ClientRequest sent = to_peer();
    sent.to = hole.listener.address();
    sent.connect_limit = milliseconds(200);
    EXPECT_EQ(start(std::move(sent)).get().failure, UpstreamFailure::connect_timeout);
}

// Tells the exchange's address once it is connecting, so that a test can close it.
Task<UpstreamFailure> send_in_view(
    net::ClientPool& pool, ClientRequest request, std::promise<ClientExchange*>& view
) {
    ClientExchange exchange(pool);
    view.set_value(&exchange);
    co_return co_await exchange.send(std::move(request));
}

TEST_F(NetClient, CloseEndsConnecting) {
    const BlackHole hole;
    ClientRequest sent = to_peer();
    sent.to = hole.listener.address();
    sent.connect_limit = std::chrono::hours(1);
    std::promise<ClientExchange*> view;
    auto future = on_client_edge(send_in_view(client_edge.clients(), std::move(sent), view));
    ClientExchange* const exchange = view.get_future().get();
    client_edge.loop().post([exchange] { exchange->close(); });
    ASSERT_EQ(future.wait_for(kGuard), std::future_status::ready);
    EXPECT_EQ(future.get(), UpstreamFailure::cancelled);
}

TEST_F(NetClient, CloseEndsTheWaitForAnAnswer) {
    std::promise<ClientExchange*> view;
    auto future = on_client_edge(send_in_view(client_edge.clients(), to_peer(), view));
    ClientExchange* const exchange = view.get_future().get();
    RawSocket socket = peer.accept();
    ASSERT_TRUE(socket.receive_until("\r\n\r\n"));
    client_edge.loop().post([exchange] { exchange->close(); });
    EXPECT_EQ(future.get(), UpstreamFailure::cancelled);
    EXPECT_EQ(socket.receive(), "") << "the peer sees that nobody waits any more";
}

TEST_F(NetClient, NoAnswerInTimeIsAFirstByteTimeout) {
    ClientRequest sent = to_peer();
    sent.first_byte_limit = milliseconds(150);
    auto future = start(std::move(sent));
    RawSocket socket = peer.accept();
    socket.send("HTTP/1.1 200 OK\r\n");
    EXPECT_EQ(future.get().failure, UpstreamFailure::first_byte_timeout);
    ASSERT_TRUE(socket.receive_until("\r\n\r\n"));
    EXPECT_EQ(socket.receive(), "") << "a peer that is given up is told";
}

TEST_F(NetClient, ABodyThatPausesTooLongIsAnIdleTimeout) {
    auto future = start(to_peer(), milliseconds(150));
    RawSocket socket = peer.accept();
    socket.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc");
    const Fetched got = future.get();
    EXPECT_EQ(got.failure, UpstreamFailure::idle_timeout);
    EXPECT_EQ(got.body, "abc");
}

TEST_F(NetClient, WhatIsNoHttpIsMalformed) {
    EXPECT_EQ(read("220 mail.example ESMTP\r\n").failure, UpstreamFailure::malformed);
    EXPECT_EQ(
        read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n").failure,
        UpstreamFailure::malformed
    );
    EXPECT_EQ(
        read("HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n\x01\x02").failure,
        UpstreamFailure::malformed
    );
}

TEST_F(NetClient, AnAnswerWithoutLengthEndsWithTheConnection) {
    const Fetched got = read("HTTP/1.1 200 OK\r\n\r\nall of it");
    EXPECT_EQ(got.failure, UpstreamFailure::none);
    EXPECT_EQ(got.body, "all of it");
}

TEST_F(NetClient, AnAnswerWithoutLengthIsCutByAReset) {
    EXPECT_EQ(read("HTTP/1.1 200 OK\r\n\r\nall", true).failure, UpstreamFailure::reset_mid_body);
}

TEST_F(NetClient, ABodyThatEndsEarlyIsCut) {
    for (const char* answer :
         {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"}) {
        const Fetched got = read(answer);
        EXPECT_EQ(got.failure, UpstreamFailure::reset_mid_body);
        EXPECT_EQ(got.body, "abc");
    }
}

TEST_F(NetClient, ACallReturnsTheWholeAnswer) {
    auto future = on_client_edge(
        net::http_call(client_edge.clients(), request(Method::get, "/hello"), seconds(5))
    );
    const net::CallResult result = future.get();
    EXPECT_EQ(result.failure, UpstreamFailure::none);
    EXPECT_EQ(result.status, 200);
    EXPECT_EQ(result.body, "hello");
}

// A peer that always has a little more to say would hold a call for ever.
TEST_F(NetClient, ACallEndsAtItsLimitHoweverTheAnswerDribbles) {
    auto future = on_client_edge(
        net::http_call(client_edge.clients(), to_peer(), std::chrono::milliseconds(200))
    );
    RawSocket socket = peer.accept();
    socket.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    while (future.wait_for(std::chrono::milliseconds(20)) != std::future_status::ready) {
        socket.send("1\r\nx\r\n");
    }
    const net::CallResult result = future.get();
    EXPECT_EQ(result.failure, UpstreamFailure::idle_timeout);
    EXPECT_TRUE(net::timed_out(result.failure));
}

TEST_F(NetClient, ACallToAMutePeerTimesOut) {
    auto future = on_client_edge(
        net::http_call(client_edge.clients(), to_peer(), std::chrono::milliseconds(50))
    );
    RawSocket socket = peer.accept();
    EXPECT_TRUE(net::timed_out(future.get().failure));
}

}  // namespace
}  // namespace orch::loopback
