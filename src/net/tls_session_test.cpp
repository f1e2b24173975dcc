#include "net/tls_session.hpp"

#include "net/test_certificates.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace orch::net {
namespace {

using Progress = TlsSession::Progress;
using ReadState = TlsSession::ReadState;
using testing::HasSubstr;

// Two sessions that talk in memory, `step` bytes of the wire at a time.
struct Talk {
    std::unique_ptr<TlsSession> client;
    std::unique_ptr<TlsSession> server;
    std::size_t step = 1 << 20;

    void carry(TlsSession& from, TlsSession& to) const {
        const std::string wire(from.output());
        from.output_sent();
        for (std::size_t at = 0; at < wire.size(); at += step) {
            to.put_input(std::string_view(wire).substr(at, step));
            if (!to.established()) {
                to.handshake();
            }
        }
    }

    // True when both ends are established.
    bool shake_hands() {
        for (int round = 0; round < 8; ++round) {
            client->handshake();
            carry(*client, *server);
            server->handshake();
            carry(*server, *client);
        }
        return client->handshake() == Progress::done && server->handshake() == Progress::done;
    }

    static std::string read_all(TlsSession& session) {
        std::string text;
        char bytes[100];
        for (;;) {
            const auto read = session.read(bytes, sizeof bytes);
            if (read.state != ReadState::data) {
                return text;
            }
            text.append(bytes, read.bytes);
        }
    }

    std::string say(TlsSession& from, TlsSession& to, std::string_view text) const {
        EXPECT_TRUE(from.write(text));
        carry(from, to);
        return read_all(to);
    }
};

struct TlsSessionTest : testing::Test {
    TestCa ca{"session"};
    TlsFiles files = ca.issue("node");
    TlsContextPtr server = *load_server_tls(files);
    TlsContextPtr client = *load_client_tls(ca.trusting());

    Talk talk(const std::string& host = "127.0.0.1", const TlsTicket& ticket = nullptr) const {
        return {TlsSession::connect(client, host, ticket), TlsSession::accept(server)};
    }
};

TEST_F(TlsSessionTest, CarriesTextBothWays) {
    Talk pair = talk();
    ASSERT_TRUE(pair.shake_hands()) << pair.client->error();
    EXPECT_EQ(pair.say(*pair.client, *pair.server, "question"), "question");
    const std::string answer(100'000, 'a');
    EXPECT_EQ(pair.say(*pair.server, *pair.client, answer), answer);
}

TEST_F(TlsSessionTest, TakesTheWireByteByByte) {
    Talk pair = talk("localhost");
    pair.step = 1;
    ASSERT_TRUE(pair.shake_hands()) << pair.client->error();
    EXPECT_EQ(pair.say(*pair.client, *pair.server, "question"), "question");
}

TEST_F(TlsSessionTest, TellsAnEndFromACut) {
    Talk pair = talk();
    ASSERT_TRUE(pair.shake_hands());
    char byte = 0;
    EXPECT_EQ(pair.client->read(&byte, 1).state, ReadState::want_input);
    pair.server->finish();
    pair.carry(*pair.server, *pair.client);
    EXPECT_EQ(pair.client->read(&byte, 1).state, ReadState::closed);
}

TEST_F(TlsSessionTest, RefusesBytesThatWereChangedOnTheWay) {
    Talk pair = talk();
    ASSERT_TRUE(pair.shake_hands());
    pair.client->write("question");
    std::string wire(pair.client->output());
    wire.back() = static_cast<char>(wire.back() ^ 1);
    pair.server->put_input(wire);
    char byte = 0;
    EXPECT_EQ(pair.server->read(&byte, 1).state, ReadState::failed);
    EXPECT_FALSE(pair.server->error().empty());
}

TEST_F(TlsSessionTest, ResumesASession) {
    Talk first = talk();
    ASSERT_TRUE(first.shake_hands());
    first.say(*first.server, *first.client, "hello");
    EXPECT_FALSE(first.client->resumed());
    const TlsTicket ticket = first.client->ticket();
    ASSERT_TRUE(ticket);
    Talk second = talk("127.0.0.1", ticket);
    ASSERT_TRUE(second.shake_hands());
    EXPECT_TRUE(second.client->resumed());
}

TEST_F(TlsSessionTest, RefusesACertificateForAnotherAddress) {
    Talk pair = talk("10.1.2.3");
    EXPECT_FALSE(pair.shake_hands());
    EXPECT_THAT(pair.client->error(), HasSubstr("the certificate is not for 10.1.2.3"));
    EXPECT_THAT(pair.client->error(), HasSubstr("IP address"));
}

TEST_F(TlsSessionTest, RefusesACertificateForAnotherName) {
    Talk pair = talk("gpu-7.example");
    EXPECT_FALSE(pair.shake_hands());
    EXPECT_THAT(pair.client->error(), HasSubstr("the certificate is not for gpu-7.example"));
    EXPECT_THAT(pair.client->error(), HasSubstr("host name"));
}

TEST_F(TlsSessionTest, RefusesACertificateOfAnotherCa) {
    const TestCa other("stranger");
    server = *load_server_tls(other.issue("node"));
    Talk pair = talk();
    EXPECT_FALSE(pair.shake_hands());
    EXPECT_THAT(pair.client->error(), HasSubstr("unable to get local issuer certificate"));
    EXPECT_THAT(pair.client->error(), HasSubstr("TLS_CA"));
}

TEST_F(TlsSessionTest, RefusesACertificateThatExpired) {
    using std::chrono::hours;
    server = *load_server_tls(ca.issue("old", {.begins = hours(-48), .ends = hours(-24)}));
    Talk pair = talk();
    EXPECT_FALSE(pair.shake_hands());
    EXPECT_THAT(pair.client->error(), HasSubstr("certificate has expired"));
}

TEST_F(TlsSessionTest, RefusesACallerWithoutACertificateWhenOneIsDemanded) {
    files.client_ca = ca.ca_file();
    server = *load_server_tls(files);
    Talk pair = talk();
    pair.shake_hands();
    EXPECT_FALSE(pair.server->established());
    Talk::read_all(*pair.client);
    EXPECT_THAT(pair.client->error(), HasSubstr("demands a client certificate"));
}

TEST_F(TlsSessionTest, TakesACallerWithACertificateOfTheRightCaOnly) {
    files.client_ca = ca.ca_file();
    server = *load_server_tls(files);
    client = *load_client_tls(ca.issue("caller"));
    Talk pair = talk();
    EXPECT_TRUE(pair.shake_hands()) << pair.server->error();
    const TestCa other("stranger");
    TlsFiles stranger = other.issue("caller");
    stranger.ca = ca.ca_file();
    client = *load_client_tls(stranger);
    Talk refused = talk();
    refused.shake_hands();
    EXPECT_FALSE(refused.server->established());
    EXPECT_THAT(refused.server->error(), HasSubstr("unable to get local issuer certificate"));
}

}  // namespace
}  // namespace orch::net
