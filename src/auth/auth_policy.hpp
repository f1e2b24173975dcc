#pragma once

#include "auth/token_ring.hpp"
#include "base/host_port.hpp"
#include "base/result.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Who may call. Pure; any thread, as long as nobody changes the policy meanwhile.
namespace orch::auth {

// What a route demands. An OPTIONS pre-flight is exempt whatever its route says.
enum class AuthClass {
    exempt,   // anybody: health, metrics, the console's files
    client,   // inference and tasks
    cluster,  // nodes and administration
};

enum class AuthMode {
    required,              // every call needs a valid token
    optional_on_loopback,  // callers on this machine may omit it; a wrong one is refused
    open,                  // no token is set and only this machine can connect
};

struct AuthPolicy {
    AuthMode mode = AuthMode::required;
    TokenRing tokens;           // the cluster's
    TokenSet home_node_tokens;  // of the node in the same process, never printed or stored
    std::vector<std::string> allowed_origins;  // "https://host[:port]", exact; "*" stands for none
};

// What decides, taken from the request; absent headers are empty optionals.
struct RequestAuth {
    std::optional<std::string_view> authorization;
    std::optional<std::string_view> api_key;  // X-Api-Key, as Anthropic's clients send it
    std::optional<std::string_view> host;
    std::optional<std::string_view> origin;
    bool peer_is_loopback = false;
    Instant now{};  // when it came: removed tokens are valid for a while
    AuthClass auth_class = AuthClass::cluster;
};

enum class PrincipalKind { anonymous, localhost, cluster_token, home_node };

// Who the caller is, for the log, the audit and the route.
struct Principal {
    PrincipalKind kind = PrincipalKind::anonymous;
    std::string identity;  // "anonymous", "localhost", "token:<fp6>" or "home-node"

    friend bool operator==(const Principal&, const Principal&) = default;
};

// Errors: missing_token, bad_token; forbidden when a call would be let in without a token but its
// Host is not this machine or a foreign web page sent it: a page must not reach an open port.
Result<Principal> decide(const AuthPolicy& policy, const RequestAuth& request);

// What is known when a daemon starts.
struct AuthStartup {
    std::string require_setting;  // its name, for the messages: "ORCHESTRATORD_REQUIRE_AUTH"
    std::optional<bool> require;  // its value; empty when unset
    TokenSet tokens;
    HostPort bind;
    std::vector<std::string> allowed_origins;
};

// Unset: a token is required iff one is set (or the bind is not loopback, which needs one).
// Errors: invalid_params, a sentence that names the setting to add; it begins with
// NON_LOOPBACK_WITHOUT_TOKEN where other machines could connect and no token is set.
Result<AuthPolicy> make_auth_policy(AuthStartup startup);

// TRUST_PROXY_AUTH of the earlier system. Errors: invalid_params when it is on.
Result<void> refuse_proxy_trust(bool trust_proxy_auth);

}  // namespace orch::auth
