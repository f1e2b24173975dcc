#pragma once

#include "apps/llorch/exit_code.hpp"
#include "auth/tokens.hpp"
#include "base/host_port.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace orch::llorch {

// What the global flags say about the control plane.
struct EndpointFlags {
    std::optional<std::string> url;
    std::optional<std::string> api_token;
    std::optional<std::string> api_token_file;
};

using Environment = std::map<std::string, std::string>;

// The control plane to call, and what to show it.
struct Endpoint {
    std::string url;  // for messages: "http://127.0.0.1:8080"
    HostPort address;
    auth::Secret token;  // empty: none is sent
};

inline constexpr std::string_view kDefaultUrl = "http://127.0.0.1:8080";

// Splits an http URL. `setting` names it in messages. Failures: usage, for https too.
Outcome<HostPort> parse_url(std::string_view url, std::string_view setting);

// Flags, then LLORCH_URL, LLORCH_API_TOKEN and LLORCH_API_TOKEN_FILE, then the default; empty
// variables count as unset. Reads the token file. Of several tokens the first is sent.
// Failures: usage, naming the setting; never the token.
Outcome<Endpoint> load_endpoint(const EndpointFlags& flags, const Environment& environment);

}  // namespace orch::llorch
