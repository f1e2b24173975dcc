#include "node/inventory/machine.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <charconv>
#include <limits>

namespace orch::node::inventory {
namespace {

// "MemTotal:       16302048 kB"
Result<Bytes> find_amount(std::string_view text, std::string_view name) {
    for (const std::string_view line : lines_of(text)) {
        if (!line.starts_with(name) || line.substr(name.size(), 1) != ":") {
            continue;
        }
        const std::string_view value = trimmed(line.substr(name.size() + 1));
        Bytes kibibytes = 0;
        const char* const end = value.data() + value.size();
        const auto [stop, error] = std::from_chars(value.data(), end, kibibytes);
        const std::string_view unit(stop, static_cast<std::size_t>(end - stop));
        if (error == std::errc{} && unit == " kB" &&
            kibibytes <= std::numeric_limits<Bytes>::max() / kKiB) {
            return kibibytes * kKiB;
        }
    }
    return fail(Errc::internal, fmt::format("meminfo has no readable line {}", name));
}

}  // namespace

Result<MachineMemory> parse_meminfo(std::string_view text) {
    const auto total = find_amount(text, "MemTotal");
    if (!total) {
        return std::unexpected(total.error());
    }
    const auto available = find_amount(text, "MemAvailable");
    if (!available) {
        return std::unexpected(available.error());
    }
    return MachineMemory{*total, *available};
}

Result<std::uint32_t> parse_cpuinfo(std::string_view text) {
    std::uint32_t processors = 0;
    for (const std::string_view line : lines_of(text)) {
        const std::size_t colon = line.find(':');
        const bool counts =
            colon != std::string_view::npos && trimmed(line.substr(0, colon)) == "processor";
        processors += counts ? 1 : 0;
    }
    if (processors == 0) {
        return fail(Errc::internal, "cpuinfo lists no processor");
    }
    return processors;
}

}  // namespace orch::node::inventory
