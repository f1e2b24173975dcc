#include "control/registry/api_version.hpp"

#include "api/node_messages.hpp"

#include <fmt/format.h>

#include <charconv>
#include <string_view>
#include <utility>

namespace orch::control::registry {
namespace {

using Version = std::pair<unsigned, unsigned>;

std::optional<unsigned> number(std::string_view text) {
    unsigned value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool whole = failure == std::errc{} && end == text.data() + text.size();
    return whole ? std::optional(value) : std::nullopt;
}

std::optional<Version> parse(std::string_view text) {
    const std::size_t dot = text.find('.');
    const auto major = number(text.substr(0, dot));
    const auto minor = dot == std::string_view::npos ? 0 : number(text.substr(dot + 1));
    return major && minor ? std::optional(Version(*major, *minor)) : std::nullopt;
}

}  // namespace

Result<void> check_api_version(const std::optional<std::string>& version) {
    if (!version) {
        return {};
    }
    const auto theirs = parse(*version);
    const auto ours = parse(api::kNodeApiVersion);
    if (theirs && theirs->first == ours->first && theirs->second <= ours->second) {
        return {};
    }
    return fail(
        Errc::invalid_params,
        fmt::format(
            "api_version: '{}' is not understood, this control plane speaks {}",
            *version,
            api::kNodeApiVersion
        )
    );
}

}  // namespace orch::control::registry
