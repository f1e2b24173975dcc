#include "auth/auth_policy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace orch::auth {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::string_view kToken = "0123456789abcdef";
constexpr std::string_view kSecond = "second-valid-token";
constexpr std::string_view kNodeToken = "token-of-the-home-node";

AuthPolicy policy_in(AuthMode mode) {
    AuthPolicy policy;
    policy.mode = mode;
    policy.home_node_tokens.add(kNodeToken);
    policy.allowed_origins = {"https://console.example"};
    if (mode != AuthMode::open) {
        policy.tokens.add(kToken);
        policy.tokens.add(kSecond);
    }
    return policy;
}

RequestAuth call(std::optional<std::string_view> authorization, bool loopback) {
    RequestAuth request;
    request.authorization = authorization;
    request.host = "127.0.0.1:8080";
    request.peer_is_loopback = loopback;
    return request;
}

// "localhost", "token", "home-node" or the wire name of the refusal.
std::string verdict(const Result<Principal>& decided) {
    if (!decided) {
        return std::string(wire_name(decided.error().code));
    }
    return decided->kind == PrincipalKind::cluster_token ? "token" : decided->identity;
}

struct Row {
    AuthMode mode;
    bool peer_is_loopback;
    std::optional<std::string_view> authorization;
    std::string_view verdict;
};

constexpr auto kRequired = AuthMode::required;
constexpr auto kOptional = AuthMode::optional_on_loopback;
constexpr auto kOpen = AuthMode::open;

constexpr std::array kRows{
    Row{kRequired, true, std::nullopt, "MISSING_TOKEN"},
    Row{kRequired, true, "", "MISSING_TOKEN"},
    Row{kRequired, true, "Bearer", "MISSING_TOKEN"},
    Row{kRequired, true, "Bearer   ", "MISSING_TOKEN"},
    Row{kRequired, true, "Bearer 0123456789abcdef", "token"},
    Row{kRequired, true, "bearer  second-valid-token ", "token"},
    Row{kRequired, true, "Bearer token-of-the-home-node", "home-node"},
    Row{kRequired, true, "Bearer wrong-wrong-wrong", "BAD_TOKEN"},
    Row{kRequired, true, "Basic 0123456789abcdef", "BAD_TOKEN"},
    Row{kRequired, true, "0123456789abcdef", "BAD_TOKEN"},
    Row{kRequired, false, std::nullopt, "MISSING_TOKEN"},
    Row{kRequired, false, "Bearer 0123456789abcdef", "token"},
    Row{kRequired, false, "Bearer wrong-wrong-wrong", "BAD_TOKEN"},
    Row{kOptional, true, std::nullopt, "localhost"},
    Row{kOptional, true, "Bearer ", "localhost"},
    Row{kOptional, true, "Bearer 0123456789abcdef", "token"},
    Row{kOptional, true, "Bearer wrong-wrong-wrong", "BAD_TOKEN"},
    Row{kOptional, true, "Basic abc", "BAD_TOKEN"},
    Row{kOptional, false, std::nullopt, "MISSING_TOKEN"},
    Row{kOptional, false, "Bearer ", "MISSING_TOKEN"},
    Row{kOptional, false, "Bearer 0123456789abcdef", "token"},
    Row{kOptional, false, "Bearer wrong-wrong-wrong", "BAD_TOKEN"},
    Row{kOpen, true, std::nullopt, "localhost"},
    Row{kOpen, true, "Bearer any-key-an-sdk-sends", "localhost"},
    Row{kOpen, true, "Basic abc", "localhost"},
    Row{kOpen, true, "Bearer token-of-the-home-node", "home-node"},
    Row{kOpen, false, std::nullopt, "MISSING_TOKEN"},
    Row{kOpen, false, "Bearer any-key-an-sdk-sends", "MISSING_TOKEN"},
};

TEST(AuthPolicy, FollowsTheTruthTable) {
    for (const Row& row : kRows) {
        for (const AuthClass auth_class : {AuthClass::client, AuthClass::cluster}) {
            RequestAuth request = call(row.authorization, row.peer_is_loopback);
            request.auth_class = auth_class;
            EXPECT_EQ(verdict(decide(policy_in(row.mode), request)), row.verdict)
                << "mode " << static_cast<int>(row.mode) << " loopback " << row.peer_is_loopback
                << " authorization " << row.authorization.value_or("(absent)");
        }
    }
}

TEST(AuthPolicy, LetsAnybodyReadExemptPaths) {
    for (const AuthMode mode : {kRequired, kOptional, kOpen}) {
        RequestAuth request = call("Bearer wrong-wrong-wrong", false);
        request.auth_class = AuthClass::exempt;
        request.host = "evil.example";
        request.origin = "https://evil.example";
        EXPECT_EQ(verdict(decide(policy_in(mode), request)), "anonymous");
    }
}

TEST(AuthPolicy, NamesTheTokenByItsFingerprintOnly) {
    const auto decided = decide(policy_in(kRequired), call("Bearer 0123456789abcdef", false));
    ASSERT_TRUE(decided);
    EXPECT_EQ(decided->identity, "token:" + fp6(kToken));
    const auto refused = decide(policy_in(kRequired), call("Bearer wrong-wrong-wrong", false));
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message + refused.error().detail, Not(HasSubstr("wrong-wrong")));
}

TEST(AuthPolicy, TakesAnApiKeyHeaderWhenThereIsNoAuthorization) {
    RequestAuth request = call(std::nullopt, false);
    request.api_key = kToken;
    EXPECT_EQ(verdict(decide(policy_in(kRequired), request)), "token");
    request.api_key = "wrong-wrong-wrong";
    EXPECT_EQ(verdict(decide(policy_in(kRequired), request)), "BAD_TOKEN");
    request.api_key = kToken;
    request.authorization = "Bearer wrong-wrong-wrong";
    EXPECT_EQ(verdict(decide(policy_in(kRequired), request)), "BAD_TOKEN");
}

struct PageRow {
    std::optional<std::string_view> host;
    std::optional<std::string_view> origin;
    bool admitted;
};

constexpr std::array kPages{
    PageRow{"127.0.0.1:8080", std::nullopt, true},
    PageRow{"127.9.9.9", std::nullopt, true},
    PageRow{"localhost:8080", std::nullopt, true},
    PageRow{"LOCALHOST", std::nullopt, true},
    PageRow{"[::1]:8080", std::nullopt, true},
    PageRow{std::nullopt, std::nullopt, false},
    PageRow{"", std::nullopt, false},
    PageRow{"evil.example", std::nullopt, false},
    PageRow{"evil.example:8080", std::nullopt, false},
    PageRow{"localhost.evil.example", std::nullopt, false},
    PageRow{"127.0.0.1.evil.example", std::nullopt, false},
    PageRow{"127.0.0.1:8080@evil", std::nullopt, false},
    PageRow{"10.0.0.1:8080", std::nullopt, false},
    PageRow{"localhost:8080", "http://localhost:8080", true},
    PageRow{"localhost:8080", "https://localhost:8080", true},
    PageRow{"localhost:8080", "https://console.example", true},
    PageRow{"localhost:8080", "http://console.example", false},
    PageRow{"localhost:8080", "https://console.example.evil", false},
    PageRow{"localhost:8080", "http://localhost:3000", false},
    PageRow{"localhost:8080", "http://127.0.0.1:8080", false},
    PageRow{"localhost:8080", "https://evil.example", false},
    PageRow{"localhost:8080", "null", false},
    PageRow{"localhost:8080", "", false},
    PageRow{"evil.example", "http://evil.example", false},
};

TEST(AuthPolicy, GuardsCallsWithoutATokenAgainstWebPages) {
    for (const PageRow& row : kPages) {
        RequestAuth request = call(std::nullopt, true);
        request.host = row.host;
        request.origin = row.origin;
        const std::string_view wanted = row.admitted ? "localhost" : "FORBIDDEN";
        for (const AuthMode mode : {kOptional, kOpen}) {
            EXPECT_EQ(verdict(decide(policy_in(mode), request)), wanted)
                << row.host.value_or("(absent)") << " " << row.origin.value_or("(absent)");
        }
        request.authorization = "Bearer 0123456789abcdef";
        EXPECT_EQ(verdict(decide(policy_in(kRequired), request)), "token");
        EXPECT_EQ(verdict(decide(policy_in(kOptional), request)), "token");
        EXPECT_EQ(verdict(decide(policy_in(kOpen), request)), wanted);
    }
}

AuthStartup startup(std::optional<bool> require, bool token, std::string host) {
    AuthStartup start;
    start.require_setting = "ORCHESTRATORD_REQUIRE_AUTH";
    start.require = require;
    start.bind = {std::move(host), 8080};
    if (token) {
        start.tokens.add(kToken);
    }
    return start;
}

struct StartRow {
    std::optional<bool> require;
    bool token;
    std::string_view host;
    std::optional<AuthMode> mode;  // empty: refused
};

constexpr std::array kStarts{
    StartRow{std::nullopt, false, "127.0.0.1", kOpen},
    StartRow{std::nullopt, true, "127.0.0.1", kRequired},
    StartRow{std::nullopt, false, "0.0.0.0", std::nullopt},
    StartRow{std::nullopt, true, "0.0.0.0", kRequired},
    StartRow{true, false, "127.0.0.1", std::nullopt},
    StartRow{true, true, "127.0.0.1", kRequired},
    StartRow{true, false, "::", std::nullopt},
    StartRow{true, true, "::", kRequired},
    StartRow{false, false, "::1", kOpen},
    StartRow{false, true, "localhost", kOptional},
    StartRow{false, false, "192.168.1.5", std::nullopt},
    StartRow{false, true, "192.168.1.5", kOptional},
};

TEST(AuthStartup, FollowsTheTruthTable) {
    for (const StartRow& row : kStarts) {
        const auto policy =
            make_auth_policy(startup(row.require, row.token, std::string(row.host)));
        EXPECT_EQ(policy.has_value(), row.mode.has_value()) << row.host;
        if (policy && row.mode) {
            EXPECT_EQ(policy->mode, *row.mode) << row.host;
            EXPECT_EQ(policy->tokens.match(kToken, {}).has_value(), row.token);
        }
    }
}

TEST(AuthStartup, NamesTheMissingLine) {
    const auto exposed = make_auth_policy(startup(false, false, "0.0.0.0"));
    ASSERT_FALSE(exposed);
    EXPECT_EQ(
        exposed.error().message,
        "NON_LOOPBACK_WITHOUT_TOKEN: other machines can connect to 0.0.0.0:8080 and no token is "
        "set; set LLORCH_API_TOKEN_FILE (or LLORCH_API_TOKEN), or bind 127.0.0.1"
    );
    const auto required = make_auth_policy(startup(true, false, "127.0.0.1"));
    ASSERT_FALSE(required);
    EXPECT_EQ(
        required.error().message,
        "ORCHESTRATORD_REQUIRE_AUTH is true and no token is set; set LLORCH_API_TOKEN_FILE (or "
        "LLORCH_API_TOKEN)"
    );
    EXPECT_THAT(
        make_auth_policy(startup(true, false, "::")).error().message,
        StartsWith("NON_LOOPBACK_WITHOUT_TOKEN: other machines can connect to [::]:8080 ")
    );
}

TEST(AuthStartup, KeepsOriginsButNeverTheWildcard) {
    AuthStartup start = startup(std::nullopt, false, "127.0.0.1");
    start.allowed_origins = {"*", "https://console.example"};
    const auto policy = make_auth_policy(std::move(start));
    ASSERT_TRUE(policy);
    RequestAuth request = call(std::nullopt, true);
    request.origin = "https://console.example";
    EXPECT_EQ(verdict(decide(*policy, request)), "localhost");
    request.origin = "*";
    EXPECT_EQ(verdict(decide(*policy, request)), "FORBIDDEN");
}

TEST(ProxyTrust, IsRefused) {
    EXPECT_TRUE(refuse_proxy_trust(false));
    const auto refused = refuse_proxy_trust(true);
    ASSERT_FALSE(refused);
    EXPECT_THAT(
        refused.error().message, HasSubstr("TRUST_PROXY_AUTH is true: no header can vouch")
    );
}

}  // namespace
}  // namespace orch::auth
