#include "loopback/server_ring.hpp"

#include <fmt/format.h>

namespace orch::loopback {
namespace {

using net::Exchange;
using net::Method;
using std::chrono::milliseconds;

constexpr Bytes kLimit = 1000;

struct NetLimits : ServerRing {
    NetLimits() {
        config.head_limit = milliseconds(150);
        config.body_limit = milliseconds(150);
        config.idle_limit = milliseconds(150);
        middlewares.push_back({"door", "first", [](Exchange& exchange) -> Result<void> {
                                   if (exchange.head().headers.find("X-Stranger")) {
                                       return fail(Errc::missing_token, "a token is needed");
                                   }
                                   return {};
                               }});
        add(Method::post, "/echo", echo, kLimit);
        serve();
    }

    RawClient client() const { return RawClient(address); }
};

TEST_F(NetLimits, ABodyOverTheLimitIsRefusedAtItsHead) {
    RawClient one = client();
    const Answer answer = one.ask("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n");
    EXPECT_EQ(answer.status, 413);
    EXPECT_TRUE(answer.body.contains("\"PAYLOAD_TOO_LARGE\"")) << answer.body;
    EXPECT_EQ(answer.header("Connection"), "close");
}

TEST_F(NetLimits, AChunkedBodyIsCounted) {
    RawClient one = client();
    one.send("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    one.send("3e8\r\n" + std::string(1000, 'a') + "\r\n1\r\nb\r\n");
    EXPECT_EQ(one.read_answer().status, 413);
    EXPECT_TRUE(one.at_end());
}

TEST_F(NetLimits, ABodyOfExactlyTheLimitIsTaken) {
    EXPECT_EQ(client().ask(post("/echo", std::string(kLimit, 'a'))).body.size(), kLimit);
}

TEST_F(NetLimits, ARefusalReachesAClientThatGoesOnSending) {
    const std::string body(8 * kMiB, 'a');
    net::ClientRequest sent = request(Method::post, "/echo");
    sent.body = body;
    const Fetched got = fetch_from(std::move(sent));
    EXPECT_EQ(got.status, 413) << to_string(got.failure);
    EXPECT_TRUE(got.body.contains("PAYLOAD_TOO_LARGE"));
    EXPECT_EQ(client_edge.clients().idle(), 0U) << "a half-written connection is not reused";
}

TEST_F(NetLimits, AMiddlewareRefusesBeforeTheBodyIsRead) {
    RawClient one = client();
    const Answer answer =
        one.ask("POST /echo HTTP/1.1\r\nHost: x\r\nX-Stranger: 1\r\nContent-Length: 900\r\n\r\n");
    EXPECT_EQ(answer.status, 401);
}

TEST_F(NetLimits, AHeadOverItsLimitIs431) {
    RawClient one = client();
    one.send("GET /echo HTTP/1.1\r\nHost: x\r\nX: " + std::string(70'000, 'a'));
    const Answer answer = one.read_answer();
    EXPECT_EQ(answer.status, 431);
    EXPECT_TRUE(answer.body.contains("\"HEADERS_TOO_LARGE\"")) << answer.body;
}

TEST_F(NetLimits, ASlowHeadIs408) {
    RawClient one = client();
    const Answer answer = one.ask("GET /echo HTTP/1.1\r\nHos");
    EXPECT_EQ(answer.status, 408);
    EXPECT_TRUE(answer.body.contains("\"REQUEST_TIMEOUT\"")) << answer.body;
    EXPECT_TRUE(one.at_end());
}

TEST_F(NetLimits, ASlowBodyIs408) {
    RawClient one = client();
    const Answer answer = one.ask("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab");
    EXPECT_EQ(answer.status, 408);
    EXPECT_TRUE(one.at_end());
}

TEST_F(NetLimits, AnIdleConnectionIsClosedWithoutAWord) {
    RawClient fresh = client();
    EXPECT_TRUE(fresh.at_end());
    RawClient used = client();
    EXPECT_EQ(used.ask(post("/echo", "a")).status, 200);
    EXPECT_TRUE(used.at_end());
    EXPECT_TRUE(wait_observed(1));
    EXPECT_EQ(observed().size(), 1U);
}

}  // namespace
}  // namespace orch::loopback
