#include "base/host_port.hpp"

#include "base/text.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>

namespace orch {
namespace {

bool name_char(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
}

bool valid_name(std::string_view host) {
    return !host.empty() && host.size() <= 253 && std::ranges::all_of(host, name_char);
}

std::optional<in6_addr> parse_ipv6(std::string_view host) {
    in6_addr parsed{};
    const bool good = inet_pton(AF_INET6, std::string(host).c_str(), &parsed) == 1;
    return good ? std::optional(parsed) : std::nullopt;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
    std::uint16_t port = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, problem] = std::from_chars(text.data(), end, port);
    if (text.empty() || problem != std::errc{} || stop != end) {
        return std::nullopt;
    }
    return port;
}

std::string_view without_brackets(std::string_view host) {
    const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    return bracketed ? host.substr(1, host.size() - 2) : host;
}

bool loopback_ipv6(const in6_addr& address) {
    if (IN6_IS_ADDR_V4MAPPED(&address)) {
        return address.s6_addr[12] == 127;
    }
    return IN6_IS_ADDR_LOOPBACK(&address);
}

}  // namespace

Result<HostPort> parse_host_port(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    const std::string_view host = text.substr(0, std::min(colon, text.size()));
    const std::string_view bare = without_brackets(host);
    const bool bracketed = bare.size() != host.size();
    const bool good_host = bracketed ? parse_ipv6(bare).has_value() : valid_name(host);
    const auto port =
        colon == std::string_view::npos ? std::nullopt : parse_port(text.substr(colon + 1));
    if (!good_host || !port) {
        return fail(
            Errc::invalid_params,
            "must be HOST:PORT with a port from 0 to 65535, such as 127.0.0.1:8080 or [::1]:8080"
        );
    }
    return HostPort{std::string(bare), *port};
}

std::string to_string(const HostPort& address) {
    const bool ipv6 = address.host.contains(':');
    return fmt::format(fmt::runtime(ipv6 ? "[{}]:{}" : "{}:{}"), address.host, address.port);
}

bool is_loopback_host(std::string_view host) {
    const std::string bare(without_brackets(host));
    if (equal_ignoring_case(bare, "localhost")) {
        return true;
    }
    in_addr ipv4{};
    if (inet_pton(AF_INET, bare.c_str(), &ipv4) == 1) {
        return (ntohl(ipv4.s_addr) >> 24) == 127;
    }
    const auto ipv6 = parse_ipv6(bare);
    return ipv6 && loopback_ipv6(*ipv6);
}

std::string_view host_of(std::string_view authority) {
    if (authority.starts_with('[')) {
        const std::size_t close = authority.find(']');
        if (close == std::string_view::npos) {
            return {};
        }
        const std::string_view rest = authority.substr(close + 1);
        const bool good = rest.empty() || (rest.front() == ':' && parse_port(rest.substr(1)));
        return good ? authority.substr(1, close - 1) : std::string_view{};
    }
    const std::size_t colon = authority.find(':');
    if (colon == std::string_view::npos) {
        return valid_name(authority) ? authority : std::string_view{};
    }
    const std::string_view host = authority.substr(0, colon);
    const bool good = valid_name(host) && parse_port(authority.substr(colon + 1));
    return good ? host : std::string_view{};
}

}  // namespace orch
