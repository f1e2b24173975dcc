#include "loopback/server_ring.hpp"

#include <fmt/format.h>

namespace orch::loopback {
namespace {

using net::Exchange;
using net::Method;

constexpr std::size_t kPiece = 64UL * 1024;
constexpr std::size_t kPieces = 512;  // 32 MiB, above what the kernel buffers for one connection

Task<void> send_pieces(Exchange& exchange, std::atomic<std::size_t>& sent, Signal& done) {
    const std::string piece(kPiece, 'x');
    co_await exchange.begin(200, {}, std::nullopt);
    for (std::size_t i = 0; i < kPieces; ++i) {
        const bool taken = co_await exchange.write(piece);
        if (!taken) {
            break;
        }
        ++sent;
    }
    co_await exchange.end();
    done.set();
}

struct NetBodies : ServerRing {
    std::atomic<std::size_t> sent{0};
    Signal done;

    NetBodies() : ServerRing(2) {
        add(Method::post, "/echo", echo, 64 * kMiB);
        add(Method::get, "/big", [this](Exchange& exchange) {
            return send_pieces(exchange, sent, done);
        });
        serve();
    }
};

TEST_F(NetBodies, EightMebibytesGoBothWays) {
    std::string body;
    while (body.size() < 8 * kMiB) {
        body += fmt::format("{},", body.size());
    }
    net::ClientRequest asked = request(Method::post, "/echo");
    asked.body = body;
    const Fetched got = fetch_from(std::move(asked));
    EXPECT_EQ(got.failure, net::UpstreamFailure::none);
    EXPECT_TRUE(got.body == body) << got.body.size() << " bytes";
}

TEST_F(NetBodies, AWriterWaitsForASlowReader) {
    RawSocket client = RawSocket::connect_to(address, 64 * 1024);
    client.send(get("/big", "Connection: close\r\n"));
    EXPECT_FALSE(done.wait(std::chrono::milliseconds(300))) << "nobody reads yet";
    EXPECT_GT(sent, 0U);
    EXPECT_LT(sent, kPieces / 2);
    const std::string all = client.receive_all();
    EXPECT_TRUE(done.wait());
    EXPECT_EQ(sent, kPieces);
    EXPECT_GT(all.size(), kPiece * kPieces);
    EXPECT_TRUE(all.ends_with("\r\n0\r\n\r\n"));
}

TEST_F(NetBodies, AReaderThatLeavesEndsTheWriter) {
    RawSocket client = RawSocket::connect_to(address, 64 * 1024);
    client.send(get("/big"));
    ASSERT_TRUE(client.receive_until("xxxx"));
    client.reset();
    EXPECT_TRUE(done.wait());
    EXPECT_LT(sent, kPieces);
}

Task<std::size_t> ask_many(net::ClientPool& pool, net::ClientRequest request, int count) {
    std::size_t right = 0;
    for (int i = 0; i < count; ++i) {
        const std::string body = fmt::format("request {}", i);
        request.body = body;
        const Fetched got = co_await fetch(pool, request, kGuard);
        right += got.status == 200 && got.body == body ? 1 : 0;
    }
    co_return right;
}

TEST_F(NetBodies, ManyConcurrentRequestsOverTwoEdgesGetTheirOwnAnswers) {
    std::vector<std::future<std::size_t>> clients;
    clients.reserve(64);
    for (int i = 0; i < 64; ++i) {
        clients.push_back(
            on_client_edge(ask_many(client_edge.clients(), request(Method::post, "/echo"), 25))
        );
    }
    std::size_t right = 0;
    for (auto& client : clients) {
        ASSERT_EQ(client.wait_for(kGuard), std::future_status::ready);
        right += client.get();
    }
    EXPECT_EQ(right, 64U * 25U);
    EXPECT_TRUE(wait_observed(right));
    settle();
    EXPECT_EQ(server->busy(), 0U);
}

}  // namespace
}  // namespace orch::loopback
