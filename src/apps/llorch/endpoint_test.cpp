#include "apps/llorch/endpoint.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace orch::llorch {
namespace {

constexpr const char* kToken = "a-token-of-sixteen";

std::string file_with(std::string_view text) {
    const std::string path =
        testing::TempDir() + std::to_string(getpid()) + "-llorch_endpoint_test.token";
    std::ofstream(path) << text;
    return path;
}

TEST(Endpoint, IsTheLocalControlPlaneByDefault) {
    const auto endpoint = load_endpoint({}, {{"LLORCH_URL", ""}, {"LLORCH_API_TOKEN", ""}});
    ASSERT_TRUE(endpoint) << endpoint.error().text;
    EXPECT_EQ(endpoint->address, (HostPort{"127.0.0.1", 8080}));
    EXPECT_TRUE(endpoint->token.empty());
}

TEST(Endpoint, PrefersFlagsToVariables) {
    const Environment environment{
        {"LLORCH_URL", "http://other:1"}, {"LLORCH_API_TOKEN", "token-of-environment"}
    };
    EXPECT_EQ(load_endpoint({}, environment)->url, "http://other:1");
    EXPECT_EQ(load_endpoint({}, environment)->token.reveal(), "token-of-environment");
    const std::string path = file_with("# ours\n" + std::string(kToken) + "\nthe-second-token\n");
    const EndpointFlags flags{"http://[::1]:9/", std::nullopt, path};
    const auto endpoint = load_endpoint(flags, environment);
    ASSERT_TRUE(endpoint) << endpoint.error().text;
    EXPECT_EQ(endpoint->url, "http://[::1]:9");
    EXPECT_EQ(endpoint->token.reveal(), kToken);
    std::filesystem::remove(path);
}

TEST(Endpoint, PrefersTheTokenToItsFileWithinTheEnvironment) {
    const Environment environment{
        {"LLORCH_API_TOKEN", kToken}, {"LLORCH_API_TOKEN_FILE", "/does/not/exist"}
    };
    EXPECT_EQ(load_endpoint({}, environment)->token.reveal(), kToken);
}

TEST(Endpoint, TakesHttpsAndTrustsTheSystemByDefault) {
    const auto endpoint = load_endpoint({"https://host:1", {}, {}}, {});
    ASSERT_TRUE(endpoint);
    EXPECT_EQ(endpoint->url, "https://host:1");
    EXPECT_TRUE(endpoint->tls);
    EXPECT_FALSE(load_endpoint({"http://host:1", {}, {}}, {})->tls);
}

TEST(Endpoint, NamesACaThatCannotBeRead) {
    const Environment environment{
        {"LLORCH_URL", "https://h"}, {"LLORCH_TLS_CA", "/does/not/exist"}
    };
    const auto outcome = load_endpoint({}, environment);
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, ExitCode::usage);
    EXPECT_TRUE(outcome.error().text.starts_with("LLORCH_TLS_CA: /does/not/exist: "));
}

TEST(Endpoint, WantsCertificateAndKeyTogether) {
    const auto outcome =
        load_endpoint({}, {{"LLORCH_URL", "https://h"}, {"LLORCH_TLS_CERT", "/c.pem"}});
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, ExitCode::usage);
    EXPECT_NE(outcome.error().text.find("LLORCH_TLS_KEY"), std::string::npos);
}

TEST(Endpoint, NamesABadUrl) {
    const auto outcome = load_endpoint({"ftp://x", {}, {}}, {});
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, ExitCode::usage);
    EXPECT_EQ(
        outcome.error().text,
        "--url: must be http://HOST:PORT or https://HOST:PORT, not \"ftp://x\""
    );
}

TEST(Endpoint, NamesATokenFileThatCannotBeRead) {
    const auto outcome = load_endpoint({{}, {}, "/does/not/exist"}, {});
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, ExitCode::usage);
    EXPECT_EQ(
        outcome.error().text,
        "--api-token-file: /does/not/exist: cannot be read: No such file or directory"
    );
}

TEST(Endpoint, NeverShowsABadToken) {
    const auto outcome = load_endpoint({}, {{"LLORCH_API_TOKEN", "bad token text"}});
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, ExitCode::usage);
    EXPECT_NE(outcome.error().text.find("LLORCH_API_TOKEN"), std::string::npos);
    EXPECT_EQ(outcome.error().text.find("bad token text"), std::string::npos);
}

}  // namespace
}  // namespace orch::llorch
