#pragma once

#include "base/result.hpp"

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace orch {

// Where to listen or connect: an IP address or a host name, and a port. An IPv6 address is kept
// without its brackets.
struct HostPort {
    std::string host;
    std::uint16_t port = 0;  // 0 when listening: any free port

    friend auto operator<=>(const HostPort&, const HostPort&) = default;
};

// "127.0.0.1:8080", "localhost:0", "[::1]:8080". Errors: invalid_params, what is allowed.
Result<HostPort> parse_host_port(std::string_view text);

// The inverse, with brackets around IPv6.
std::string to_string(const HostPort& address);

// 127.0.0.0/8, ::1 (also as ::ffff:127.x) or the name localhost; brackets are allowed.
bool is_loopback_host(std::string_view host);

// The host of a Host header or of host:port; the port may be missing. Empty when malformed.
std::string_view host_of(std::string_view authority);

}  // namespace orch
