#include "node/lifecycle/process_facts.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <charconv>
#include <vector>

namespace orch::node::lifecycle {
namespace {

template <class T>
std::optional<T> number(std::string_view text, int base = 10) {
    T value{};
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    const bool whole = error == std::errc{} && stop == text.data() + text.size();
    return whole ? std::optional(value) : std::nullopt;
}

std::vector<std::string_view> words(std::string_view text) {
    std::vector<std::string_view> found;
    while (true) {
        const std::size_t first = text.find_first_not_of(" \t\n");
        if (first == std::string_view::npos) {
            return found;
        }
        text.remove_prefix(first);
        const std::size_t length = std::min(text.find_first_of(" \t\n"), text.size());
        found.push_back(text.substr(0, length));
        text.remove_prefix(length);
    }
}

// Little-endian, as the kernel prints an address of this machine.
constexpr std::string_view kLoopback = "0100007F";
constexpr std::string_view kAnyAddress = "00000000";
constexpr std::string_view kListening = "0A";

// "0100007F:7A69" and the wanted port.
bool is_at(std::string_view address, std::uint16_t port) {
    const std::size_t colon = address.find(':');
    if (colon == std::string_view::npos) {
        return false;
    }
    const std::string_view host = address.substr(0, colon);
    return (host == kLoopback || host == kAnyAddress) &&
           number<std::uint16_t>(address.substr(colon + 1), 16) == port;
}

}  // namespace

Result<ProcessFacts> parse_process_stat(std::string_view text) {
    const std::size_t open = text.find(" (");
    const std::size_t close = text.rfind(") ");
    if (open == std::string_view::npos || close == std::string_view::npos || close < open) {
        return fail(Errc::internal, "the process's stat file has no program name");
    }
    const auto pid = number<std::int64_t>(text.substr(0, open));
    // The first word is field 3, the state; user and system time are 14 and 15, the start is 22,
    // which is whole when another follows.
    const auto fields = words(text.substr(close + 2));
    if (!pid || fields.size() <= 20 || fields[0].size() != 1) {
        return fail(Errc::internal, "the process's stat file is cut short");
    }
    const auto user = number<std::uint64_t>(fields[11]);
    const auto system = number<std::uint64_t>(fields[12]);
    const auto start = number<std::uint64_t>(fields[19]);
    if (!user || !system || !start) {
        return fail(Errc::internal, "the process's stat file holds a field that is no number");
    }
    return ProcessFacts{*pid, fields[0][0], *user + *system, *start};
}

bool was_idle(const std::optional<ProcessFacts>& before, const ProcessFacts& now) {
    if (std::string_view("TtZX").find(now.state) != std::string_view::npos) {
        return true;
    }
    return before && before->start_time == now.start_time && before->cpu_ticks == now.cpu_ticks;
}

std::optional<std::uint64_t> find_listener_inode(
    std::string_view proc_net_tcp, std::uint16_t port
) {
    for (const std::string_view line : lines_of(proc_net_tcp)) {
        const auto fields = words(line);
        if (fields.size() > 9 && fields[3] == kListening && is_at(fields[1], port)) {
            return number<std::uint64_t>(fields[9]);
        }
    }
    return std::nullopt;
}

std::optional<std::uint64_t> socket_inode(std::string_view link_target) {
    constexpr std::string_view kPrefix = "socket:[";
    if (!link_target.starts_with(kPrefix) || !link_target.ends_with(']')) {
        return std::nullopt;
    }
    link_target.remove_prefix(kPrefix.size());
    link_target.remove_suffix(1);
    return number<std::uint64_t>(link_target);
}

}  // namespace orch::node::lifecycle
