#include "net/tls_context.hpp"

#include "net/test_certificates.hpp"
#include "net/tls_settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

namespace orch::net {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct TlsContextTest : testing::Test {
    TestCa ca{"context"};

    static std::string why(const Result<TlsContextPtr>& loaded) {
        return loaded ? "" : loaded.error().message;
    }
};

TEST_F(TlsContextTest, AllowsNothingOlderThanTls12AndNoWeakCipher) {
    const auto server = load_server_tls(ca.issue("node"));
    ASSERT_TRUE(server);
    EXPECT_EQ(SSL_CTX_get_min_proto_version((*server)->get()), TLS1_2_VERSION);
    const STACK_OF(SSL_CIPHER)* const ciphers = SSL_CTX_get_ciphers((*server)->get());
    ASSERT_GT(sk_SSL_CIPHER_num(ciphers), 0);
    for (int i = 0; i < sk_SSL_CIPHER_num(ciphers); ++i) {
        EXPECT_EQ(SSL_CIPHER_is_aead(sk_SSL_CIPHER_value(ciphers, i)), 1);
    }
}

TEST_F(TlsContextTest, AClientAlwaysChecksItsPeer) {
    const auto client = load_client_tls(ca.trusting());
    ASSERT_TRUE(client);
    EXPECT_EQ(SSL_CTX_get_verify_mode((*client)->get()), SSL_VERIFY_PEER);
    const auto of_system = load_client_tls({});
    ASSERT_TRUE(of_system);
    EXPECT_EQ(SSL_CTX_get_verify_mode((*of_system)->get()), SSL_VERIFY_PEER);
}

TEST_F(TlsContextTest, NamesAFileThatIsMissingOrNoCertificate) {
    TlsFiles files = ca.issue("node");
    files.cert = ca.path("absent.pem");
    EXPECT_THAT(
        why(load_server_tls(files)), HasSubstr("absent.pem: no certificate in PEM: No such")
    );
    ASSERT_TRUE(replace_file(ca.path("torn.pem"), "-----BEGIN CERTIFICATE-----\nMIIB"));
    files.cert = ca.path("torn.pem");
    EXPECT_THAT(why(load_server_tls(files)), HasSubstr("torn.pem: no certificate in PEM: "));
    EXPECT_THAT(
        why(load_client_tls({{}, {}, ca.path("torn.pem"), {}})), HasSubstr("torn.pem: no CA")
    );
}

TEST_F(TlsContextTest, RefusesAKeyOfAnotherCertificate) {
    TlsFiles files = ca.issue("node");
    files.key = ca.issue("other").key;
    EXPECT_THAT(why(load_server_tls(files)), AllOf(HasSubstr("other.key"), HasSubstr("node.pem")));
}

TEST(TlsSettings, WantCertificateAndKeyTogether) {
    const TestCa ca("settings");
    const TlsFiles files = ca.issue("node");
    const SettingsTable table{
        .program = "x",
        .version = "1",
        .summary = "s",
        .prefixes = {"X_"},
        .settings = tls_settings("X")
    };
    const auto errors = [&](std::vector<std::string> arguments) {
        SettingsRead read = load_settings(table, {std::move(arguments), {}});
        read_tls_settings(read, "X");
        return read.errors;
    };
    EXPECT_THAT(errors({}), IsEmpty());
    EXPECT_THAT(errors({"--tls-cert", files.cert, "--tls-key", files.key}), IsEmpty());
    EXPECT_THAT(
        errors({"--tls-cert", files.cert}), ElementsAre("X_TLS_CERT is set and X_TLS_KEY is not")
    );
    EXPECT_THAT(errors({"--tls-client-ca", files.ca}), ElementsAre(HasSubstr("X_TLS_CLIENT_CA: ")));
    EXPECT_THAT(
        errors({"--tls-ca", ca.path("absent")}), ElementsAre(HasSubstr("absent: no CA certificate"))
    );
}

}  // namespace
}  // namespace orch::net
