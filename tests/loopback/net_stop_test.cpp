#include "loopback/server_ring.hpp"

namespace orch::loopback {
namespace {

using net::Exchange;
using net::Method;

// Waits for what never comes, and begins anew whenever it is cancelled.
Task<void> wait_stubbornly(Exchange& exchange, Signal& entered) {
    for (int i = 0; i < 5; ++i) {
        entered.set();
        co_await exchange.edge().clock().sleep_for(std::chrono::hours(1));
    }
}

Task<void> hold(Exchange& exchange, Signal& entered, async::Handoff<bool> release) {
    entered.set();
    co_await release.wait();
    co_await say(exchange, "done");
}

Task<void> write_without_end(Exchange& exchange, Signal& entered) {
    const std::string piece(256UL * 1024, 'x');
    co_await exchange.begin(200, {}, std::nullopt);
    entered.set();
    while (co_await exchange.write(piece)) {
    }
}

struct NetStop : ServerRing {
    Signal waiting;
    Signal writing;
    Signal holding;
    async::Handoff<bool> release{edges.front()->loop().executor()};

    NetStop() {
        add(Method::get, "/wait", [this](Exchange& exchange) {
            return wait_stubbornly(exchange, waiting);
        });
        add(Method::get, "/write", [this](Exchange& exchange) {
            return write_without_end(exchange, writing);
        });
        add(Method::get, "/hold", [this](Exchange& exchange) {
            return hold(exchange, holding, release);
        });
        add(Method::get, "/ok", [](Exchange& exchange) { return say(exchange, "ok"); });
        serve();
    }

    bool stops_in_time() {
        auto stopping = std::async(std::launch::async, [this] { stop(); });
        return stopping.wait_for(kGuard) == std::future_status::ready;
    }
};

TEST_F(NetStop, ReturnsWithConnectionsInEveryState) {
    RawListener silent;
    RawSocket fresh = RawSocket::connect_to(address);
    RawClient idle(address);
    EXPECT_EQ(idle.ask(get("/ok")).body, "ok");
    RawSocket in_head = RawSocket::connect_to(address);
    in_head.send("GET /ok HT");
    RawSocket in_handler = RawSocket::connect_to(address);
    in_handler.send(get("/wait"));
    RawSocket in_write = RawSocket::connect_to(address, 64 * 1024);
    in_write.send(get("/write"));
    net::ClientRequest asked = request(Method::get, "/x");
    asked.to = silent.address();
    asked.first_byte_limit = std::chrono::hours(1);
    auto pending = on_client_edge(fetch(client_edge.clients(), std::move(asked), kGuard));
    RawSocket upstream = silent.accept();
    ASSERT_TRUE(upstream.receive_until("\r\n\r\n"));
    ASSERT_TRUE(waiting.wait());
    ASSERT_TRUE(writing.wait());
    EXPECT_TRUE(stops_in_time());
    EXPECT_NE(pending.get().failure, net::UpstreamFailure::none);
    EXPECT_EQ(fresh.receive(), "");
    EXPECT_TRUE(idle.at_end());
    EXPECT_EQ(in_handler.receive(), "");
    EXPECT_EQ(log.count("\"level\":\"error\""), 0U) << "being stopped is no defect";
}

TEST_F(NetStop, StopAcceptingLetsThePresentRequestEnd) {
    RawClient client(address);
    client.send(get("/hold"));
    ASSERT_TRUE(holding.wait());
    EXPECT_EQ(server->busy(), 1U);
    server->stop_accepting();
    release.set(true);
    EXPECT_EQ(client.read_answer().body, "done");
    EXPECT_TRUE(client.at_end());
}

TEST_F(NetStop, ASecondServerCannotHaveTheSameAddress) {
    net::HttpServer second(
        {edges.front().get()}, net::ServerSpec{routes, {}, nullptr, {}}, Logger(sink, "second")
    );
    const auto bound = second.bind(address);
    ASSERT_FALSE(bound.has_value());
    EXPECT_EQ(bound.error().code, Errc::conflict);
    EXPECT_TRUE(bound.error().message.contains(to_string(address))) << bound.error().message;
}

TEST_F(NetStop, AnAddressThatIsNoneIsNamed) {
    net::HttpServer second(
        {edges.front().get()}, net::ServerSpec{routes, {}, nullptr, {}}, Logger(sink, "second")
    );
    const auto bound = second.bind(HostPort{"203.0.113.1", 0});
    ASSERT_FALSE(bound.has_value());
    EXPECT_TRUE(bound.error().message.contains("203.0.113.1")) << bound.error().message;
}

}  // namespace
}  // namespace orch::loopback
