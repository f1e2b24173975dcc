#pragma once

#include "api/http_address.hpp"
#include "apps/llorch/exit_code.hpp"
#include "auth/tokens.hpp"
#include "base/host_port.hpp"
#include "net/tls_context.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace orch::llorch {

// What the global flags say about the control plane.
struct EndpointFlags {
    std::optional<std::string> url{};
    std::optional<std::string> api_token{};
    std::optional<std::string> api_token_file{};
    std::optional<std::string> tls_ca{};
    std::optional<std::string> tls_cert{};
    std::optional<std::string> tls_key{};
};

using Environment = std::map<std::string, std::string>;

// The control plane to call, and what to show it.
struct Endpoint {
    std::string url;  // for messages: "http://127.0.0.1:8080"
    HostPort address;
    auth::Secret token;                     // empty: none is sent
    std::shared_ptr<const net::Tls> tls{};  // null: plain HTTP
};

inline constexpr std::string_view kDefaultUrl = "http://127.0.0.1:8080";

// Splits an http or https URL. `setting` names it in messages. Failures: usage.
Outcome<api::HttpAddress> parse_url(std::string_view url, std::string_view setting);

// Flags, then LLORCH_URL, LLORCH_API_TOKEN and LLORCH_API_TOKEN_FILE, then the default; empty
// variables count as unset. Reads the token file and, for an https URL, the files of LLORCH_TLS_CA,
// LLORCH_TLS_CERT and LLORCH_TLS_KEY; the system's CAs are trusted by default. Of several tokens
// the first is sent. Failures: usage, naming the setting; never the token.
Outcome<Endpoint> load_endpoint(const EndpointFlags& flags, const Environment& environment);

}  // namespace orch::llorch
