#include "api/http_address.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace orch::api {
namespace {

constexpr std::size_t kMaxHostLength = 253;  // of a DNS name

bool host_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
}

bool ipv6_char(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':' ||
           c == '.';
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
    if (!text.starts_with(prefix)) {
        return false;
    }
    text.remove_prefix(prefix.size());
    return true;
}

bool take_scheme(std::string_view& text, HttpAddress& out) {
    if (take_prefix(text, "http://")) {
        return true;
    }
    out.tls = take_prefix(text, "https://");
    return out.tls;
}

bool take_bracketed_host(std::string_view& text, HttpAddress& out) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) {
        return false;
    }
    out.host = text.substr(1, end - 1);
    text.remove_prefix(end + 1);
    return out.host.contains(':') && std::ranges::all_of(out.host, ipv6_char);
}

bool take_host(std::string_view& text, HttpAddress& out) {
    if (text.starts_with('[')) {
        return take_bracketed_host(text, out);
    }
    out.host = text.substr(0, text.find_first_of(":/"));
    text.remove_prefix(out.host.size());
    return !out.host.empty() && out.host.size() <= kMaxHostLength &&
           std::ranges::all_of(out.host, host_char);
}

bool take_port(std::string_view& text, HttpAddress& out) {
    if (!take_prefix(text, ":")) {
        out.port = out.tls ? 443 : 80;
        return true;
    }
    const auto [end, failure] =
        std::from_chars(text.data(), text.data() + text.size(), out.port);  // digits only
    const auto used = static_cast<std::size_t>(end - text.data());
    text.remove_prefix(used);
    return failure == std::errc{} && out.port != 0;
}

std::optional<HttpAddress> split(std::string_view text) {
    HttpAddress out;
    const bool whole = take_scheme(text, out) && take_host(text, out) && take_port(text, out) &&
                       (text.empty() || text == "/");
    return whole ? std::optional(out) : std::nullopt;
}

}  // namespace

Result<HttpAddress> parse_http_address(std::string_view text, std::string_view field) {
    if (const auto address = split(text)) {
        return *address;
    }
    return fail(
        Errc::invalid_params,
        fmt::format("{}: must be http://HOST:PORT or https://HOST:PORT", field)
    );
}

std::string to_string(const HttpAddress& address) {
    const bool ipv6 = address.host.contains(':');
    return fmt::format(
        "{}://{}{}{}:{}",
        address.tls ? "https" : "http",
        ipv6 ? "[" : "",
        address.host,
        ipv6 ? "]" : "",
        address.port
    );
}

}  // namespace orch::api
