#include "control/placement/strategy.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstddef>

namespace orch::control::placement {
namespace {

constexpr std::array<std::string_view, 6> kNames{
    "auto", "least-loaded", "most-free-vram", "round-robin", "random", "power-of-two"
};

}  // namespace

Result<Strategy> strategy_from(std::string_view name) {
    if (const auto found = std::ranges::find(kNames, name); found != kNames.end()) {
        return static_cast<Strategy>(found - kNames.begin());
    }
    const std::string_view problem =
        name == "prefix-affinity" ? "is not available in this version; use" : "must be one of";
    return fail(
        Errc::invalid_params,
        fmt::format(
            "ORCHESTRATORD_PLACEMENT_STRATEGY: \"{}\" {} {}", name, problem, fmt::join(kNames, ", ")
        )
    );
}

std::string_view to_string(Strategy strategy) {
    return kNames[static_cast<std::size_t>(strategy)];
}

std::vector<std::string> strategy_names() {
    return {kNames.begin(), kNames.end()};
}

}  // namespace orch::control::placement
