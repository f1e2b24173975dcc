#include "control/placement/placement_request.hpp"

#include <fmt/format.h>

namespace orch::control::placement {
namespace {

std::string_view trim(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::optional<PlaceHint> parse_hint(std::string_view text) {
    const std::size_t colon = text.find(':');
    const std::string_view id = colon == std::string_view::npos ? "" : text.substr(colon + 1);
    if (!valid_id(id)) {
        return std::nullopt;
    }
    PlaceHint hint;
    if (text.starts_with("node:")) {
        hint.node = NodeId(std::string(id));
    } else if (text.starts_with("pool:")) {
        hint.pool = PoolId(std::string(id));
    } else {
        return std::nullopt;
    }
    return hint;
}

}  // namespace

bool PlaceHint::matches(const PoolKey& key) const {
    return (node || pool) && (!node || *node == key.node) && (!pool || *pool == key.pool);
}

Result<std::vector<PlaceHint>> parse_hints(std::string_view text, std::string_view header) {
    std::vector<PlaceHint> hints;
    while (!text.empty()) {
        const std::size_t comma = text.find(',');
        const std::string_view item = trim(text.substr(0, comma));
        text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
        if (item.empty()) {
            continue;
        }
        auto hint = parse_hint(item);
        if (!hint) {
            return fail(
                Errc::invalid_params,
                fmt::format("{}: must be a comma list of node:ID and pool:ID", header)
            );
        }
        hints.push_back(std::move(*hint));
    }
    return hints;
}

}  // namespace orch::control::placement
