#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace orch::api {

// The base URL of a daemon or an engine, split: "https://10.0.0.7:9200", "http://[::1]:8080".
struct HttpAddress {
    bool tls = false;
    std::string host;  // without the brackets of an IPv6 literal
    std::uint16_t port = 0;

    friend bool operator==(const HttpAddress&, const HttpAddress&) = default;
};

// Accepts http(s)://host[:port] with nothing but one optional "/" behind it; the port defaults to
// 80 and 443. Errors: invalid_params that begins with `field`.
Result<HttpAddress> parse_http_address(std::string_view text, std::string_view field);

// The inverse, port always written.
std::string to_string(const HttpAddress& address);

}  // namespace orch::api
