#include "auth/auth_policy.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace orch::auth {
namespace {

constexpr std::string_view kScheme = "Bearer";

// What the caller presented: nothing, a token, or something that cannot be one.
struct Presented {
    std::optional<std::string_view> token;
    bool malformed = false;
};

Presented presented_in(std::string_view authorization) {
    const std::string_view text = trimmed(authorization);
    if (text.empty()) {
        return {};
    }
    const std::string_view scheme = text.substr(0, text.find_first_of(" \t"));
    const bool bearer = equal_ignoring_case(scheme, kScheme);
    if (!bearer) {
        return {.token = {}, .malformed = true};
    }
    // Clients with an empty key send the scheme alone: that is no token rather than a wrong one.
    const std::string_view token = trimmed(text.substr(scheme.size()));
    return {.token = token.empty() ? std::nullopt : std::optional(token)};
}

Presented presented_by(const RequestAuth& request) {
    if (request.authorization) {
        return presented_in(*request.authorization);
    }
    const std::string_view key = trimmed(request.api_key.value_or(std::string_view{}));
    return {.token = key.empty() ? std::nullopt : std::optional(key)};
}

std::optional<Principal> known(const AuthPolicy& policy, std::string_view token, Instant now) {
    const auto cluster = policy.tokens.match(token, now);
    const auto home = policy.home_node_tokens.match(token);
    if (cluster) {
        return Principal{PrincipalKind::cluster_token, "token:" + *cluster};
    }
    return home ? std::optional(Principal{PrincipalKind::home_node, "home-node"}) : std::nullopt;
}

// A page that this daemon served itself; `host` is known to be loopback here.
bool same_origin(std::string_view origin, std::string_view host) {
    return origin == fmt::format("http://{}", host) || origin == fmt::format("https://{}", host);
}

Result<Principal> admit_without_token(const AuthPolicy& policy, const RequestAuth& request) {
    const std::string_view host = request.host.value_or(std::string_view{});
    if (!is_loopback_host(host_of(host))) {
        return fail(
            Errc::forbidden,
            "without a token only calls whose Host is this machine (localhost, 127.0.0.1, [::1]) "
            "are served"
        );
    }
    if (request.origin && !same_origin(*request.origin, host) &&
        std::ranges::find(policy.allowed_origins, *request.origin) ==
            policy.allowed_origins.end()) {
        return fail(
            Errc::forbidden,
            "without a token no web page of another origin is served; ORCHESTRATORD_CORS_ORIGINS "
            "allows origins"
        );
    }
    return Principal{PrincipalKind::localhost, "localhost"};
}

std::unexpected<Error> missing_token() {
    return fail(Errc::missing_token, "a token is required: send Authorization: Bearer <token>");
}

std::unexpected<Error> bad_token(bool malformed) {
    if (malformed) {
        return fail(Errc::bad_token, "Authorization must be: Bearer <token>");
    }
    return fail(Errc::bad_token, "the token is not valid here");
}

bool may_omit(const AuthPolicy& policy, const RequestAuth& request) {
    return policy.mode != AuthMode::required && request.peer_is_loopback;
}

}  // namespace

Result<Principal> decide(const AuthPolicy& policy, const RequestAuth& request) {
    if (request.auth_class == AuthClass::exempt) {
        return Principal{PrincipalKind::anonymous, "anonymous"};
    }
    const Presented presented = presented_by(request);
    if (presented.token) {
        if (auto principal = known(policy, *presented.token, request.now)) {
            return *principal;
        }
    }
    // Where no token is set, clients that always send some key are served like those that do not.
    const bool wrong = presented.token || presented.malformed;
    if (wrong && policy.mode != AuthMode::open) {
        return bad_token(presented.malformed);
    }
    return may_omit(policy, request) ? admit_without_token(policy, request) : missing_token();
}

Result<AuthPolicy> make_auth_policy(AuthStartup startup) {
    const bool loopback = is_loopback_host(startup.bind.host);
    if (startup.tokens.empty() && !loopback) {
        return fail(
            Errc::invalid_params,
            fmt::format(
                "NON_LOOPBACK_WITHOUT_TOKEN: other machines can connect to {} and no token is set; "
                "set LLORCH_API_TOKEN_FILE (or LLORCH_API_TOKEN), or bind 127.0.0.1",
                to_string(startup.bind)
            )
        );
    }
    if (startup.tokens.empty() && startup.require == true) {
        return fail(
            Errc::invalid_params,
            fmt::format(
                "{} is true and no token is set; set LLORCH_API_TOKEN_FILE (or LLORCH_API_TOKEN)",
                startup.require_setting
            )
        );
    }
    AuthPolicy policy;
    if (startup.tokens.empty()) {
        policy.mode = AuthMode::open;
    } else if (startup.require == false) {
        policy.mode = AuthMode::optional_on_loopback;
    }
    policy.tokens = TokenRing(std::move(startup.tokens));
    policy.allowed_origins = std::move(startup.allowed_origins);
    std::erase(policy.allowed_origins, "*");
    return policy;
}

Result<void> refuse_proxy_trust(bool trust_proxy_auth) {
    if (trust_proxy_auth) {
        return fail(
            Errc::invalid_params,
            "TRUST_PROXY_AUTH is true: no header can vouch for a caller; let the proxy send "
            "Authorization: Bearer <token> and remove this setting"
        );
    }
    return {};
}

}  // namespace orch::auth
