#include "loopback/server_ring.hpp"
#include "net/auth_middleware.hpp"
#include "net/test_certificates.hpp"

#include <gmock/gmock.h>

namespace orch::loopback {
namespace {

using net::Method;
using net::UpstreamFailure;
using testing::HasSubstr;

Task<std::string> describe_failure(net::ClientPool& pool, net::ClientRequest request) {
    net::ClientExchange exchange(pool);
    const UpstreamFailure failure = co_await exchange.send(std::move(request));
    co_return exchange.describe(failure);
}

// Streams without a length: only the connection's end could end it, chunks do.
Task<void> stream(net::Exchange& exchange, int pieces) {
    const std::string piece(10'000, 'x');
    net::Headers headers;
    co_await exchange.begin(200, std::move(headers), std::nullopt);
    for (int i = 0; i < pieces; ++i) {
        co_await exchange.write(piece);
    }
    co_await exchange.end();
}

struct TlsRing : ServerRing {
    TlsRing() {
        config.handshake_limit = std::chrono::milliseconds(300);
        add(Method::get, "/hello", [](net::Exchange& exchange) { return say(exchange, "hello"); });
        add(Method::post, "/echo", echo);
        add(Method::get, "/stream", [](net::Exchange& exchange) { return stream(exchange, 50); });
    }

    void serve_tls(const net::TlsFiles& server_files, const net::TlsFiles& client_files) {
        const net::TlsContextPtr client = *net::load_client_tls(client_files);
        live = std::make_unique<net::LiveTls>(
            std::make_shared<const net::Tls>(net::Tls{*net::load_server_tls(server_files), client})
        );
        tls = live.get();
        client_edge.clients().use_tls(*live);
        serve();
    }

    net::ClientRequest secure(Method method, std::string target) const {
        net::ClientRequest made = request(method, std::move(target));
        made.tls = true;
        return made;
    }

    std::string failure_of(net::ClientRequest request) {
        return on_client_edge(describe_failure(client_edge.clients(), std::move(request))).get();
    }

    net::TestCa ca{"ring"};
    net::TlsFiles files = ca.issue("node");
    net::TlsFiles trusting = ca.trusting();
    std::unique_ptr<net::LiveTls> live;
};

TEST_F(TlsRing, AnswersRequestsOnOneConnection) {
    serve_tls(files, trusting);
    for (int i = 0; i < 3; ++i) {
        const Fetched got = fetch_from(secure(Method::get, "/hello"));
        EXPECT_EQ(got.status, 200);
        EXPECT_EQ(got.body, "hello");
    }
    EXPECT_TRUE(wait_observed(3));
}

TEST_F(TlsRing, CarriesLargeBodiesBothWays) {
    serve_tls(files, trusting);
    const std::string body(700'000, 'b');
    net::ClientRequest large = secure(Method::post, "/echo");
    large.body = body;
    EXPECT_EQ(fetch_from(std::move(large)).body, body);
    EXPECT_EQ(fetch_from(secure(Method::get, "/stream")).body.size(), 500'000U);
}

TEST_F(TlsRing, TellsAPlainHttpClientToUseHttps) {
    serve_tls(files, trusting);
    const Fetched got = fetch_from(request(Method::get, "/hello"));
    EXPECT_EQ(got.status, 400);
    EXPECT_THAT(got.body, HasSubstr("this address speaks TLS: use https://"));
}

TEST_F(TlsRing, ClosesOnAClientThatSpeaksNeither) {
    serve_tls(files, trusting);
    RawClient client(address);
    client.send("\x01\x02 not a handshake");
    EXPECT_NO_THROW(client.socket().receive_all());
}

TEST_F(TlsRing, ClosesOnAClientThatDoesNotFinishItsHandshake) {
    serve_tls(files, trusting);
    RawClient client(address);
    client.send("\x16\x03\x01");
    EXPECT_EQ(client.socket().receive_all(), "");
}

TEST_F(TlsRing, NamesWhyACertificateIsRefused) {
    using std::chrono::hours;
    const net::TestCa other("other");
    serve_tls(files, other.trusting());
    const std::string unknown = failure_of(secure(Method::get, "/hello"));
    EXPECT_THAT(
        unknown, HasSubstr("no secure connection: the certificate of 127.0.0.1 was refused")
    );
    EXPECT_THAT(unknown, HasSubstr("local issuer"));
    const net::TlsContextPtr client = *net::load_client_tls(trusting);
    const auto serve_with = [&](const net::IssueOptions& options) {
        live->publish(std::make_shared<const net::Tls>(
            net::Tls{*net::load_server_tls(ca.issue("node", options)), client}
        ));
    };
    serve_with({.names = "IP:10.9.8.7"});
    EXPECT_THAT(failure_of(secure(Method::get, "/hello")), HasSubstr("is not for 127.0.0.1"));
    serve_with({.begins = hours(-48), .ends = hours(-1)});
    EXPECT_THAT(failure_of(secure(Method::get, "/hello")), HasSubstr("has expired"));
    serve_with({});
    EXPECT_EQ(fetch_from(secure(Method::get, "/hello")).status, 200);
}

TEST_F(TlsRing, ANewCertificateServesNewConnections) {
    serve_tls(files, trusting);
    const Fetched before = fetch_from(secure(Method::get, "/hello"));
    EXPECT_EQ(before.status, 200);
    const net::TestCa next("next");
    const net::TlsContextPtr client = *net::load_client_tls(next.trusting());
    live->publish(std::make_shared<const net::Tls>(
        net::Tls{*net::load_server_tls(next.issue("node")), client}
    ));
    EXPECT_EQ(fetch_from(secure(Method::get, "/hello")).body, "hello");
    client_edge.loop().post([this] { client_edge.clients().close_idle(); });
    EXPECT_EQ(fetch_from(secure(Method::get, "/hello")).body, "hello");
}

TEST_F(TlsRing, AServersNewCertificateLeavesOldConnectionsAloneWhatTheCallerTrustsAnewDoesNot) {
    serve_tls(files, trusting);
    EXPECT_EQ(fetch_from(secure(Method::get, "/hello")).status, 200);
    const net::TestCa next("next");
    const net::TlsContextPtr as_before = live->load()->client;
    const net::TlsContextPtr server = *net::load_server_tls(next.issue("node"));
    live->publish(std::make_shared<const net::Tls>(net::Tls{server, as_before}));
    // A new connection would be refused.
    EXPECT_EQ(fetch_from(secure(Method::get, "/hello")).status, 200);
    const net::TestCa other("other");
    const net::TlsContextPtr trusting_other = *net::load_client_tls(other.trusting());
    live->publish(std::make_shared<const net::Tls>(net::Tls{server, trusting_other}));
    EXPECT_THAT(failure_of(secure(Method::get, "/hello")), HasSubstr("was refused"));
}

TEST_F(TlsRing, RefusesCallersWithoutACertificateUnderMutualTls) {
    files.client_ca = ca.ca_file();
    serve_tls(files, trusting);
    EXPECT_THAT(
        failure_of(secure(Method::get, "/hello")), HasSubstr("demands a client certificate")
    );
    EXPECT_TRUE(observed().empty());
}

TEST_F(TlsRing, ServesCallersWithACertificateUnderMutualTls) {
    files.client_ca = ca.ca_file();
    serve_tls(files, ca.issue("caller"));
    EXPECT_EQ(fetch_from(secure(Method::get, "/hello")).body, "hello");
    client_edge.loop().post([this] { client_edge.clients().close_idle(); });
    EXPECT_EQ(fetch_from(secure(Method::get, "/hello")).body, "hello");
}

TEST_F(TlsRing, SaysWhenTheOtherSideSpeaksNoTls) {
    live = std::make_unique<net::LiveTls>(
        std::make_shared<const net::Tls>(net::Tls{nullptr, *net::load_client_tls(trusting)})
    );
    client_edge.clients().use_tls(*live);
    serve();
    EXPECT_THAT(failure_of(secure(Method::get, "/hello")), HasSubstr("does not speak TLS"));
}

TEST_F(ServerRing, ACallWithTlsFailsWhereNoneIsSetUp) {
    serve();
    net::ClientRequest call = request(Method::get, "/hello");
    call.tls = true;
    EXPECT_EQ(fetch_from(std::move(call)).failure, UpstreamFailure::tls_failed);
}

TEST_F(ServerRing, ThePrivateAddressIsForTheHomeNodeAlone) {
    auth::AuthPolicy policy;
    policy.tokens.add("cluster-token-012345");
    policy.home_node_tokens.add("home-token-012345678");
    const auth::LiveAuth auth(std::move(policy), "");
    middlewares.push_back(net::auth_middleware(auth));
    add(Method::get, "/hello", [](net::Exchange& exchange) { return say(exchange, "hello"); });
    with_private = true;
    serve();
    const auto status = [&](const HostPort& to, const char* token) {
        net::ClientRequest call = request(Method::get, "/hello");
        call.to = to;
        call.headers.add("Authorization", std::string("Bearer ") + token);
        return fetch_from(std::move(call)).status;
    };
    EXPECT_EQ(status(address, "cluster-token-012345"), 200);
    EXPECT_EQ(status(private_address, "cluster-token-012345"), 403);
    EXPECT_EQ(status(private_address, "home-token-012345678"), 200);
    stop();
}

}  // namespace
}  // namespace orch::loopback
