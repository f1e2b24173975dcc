#include "control/placement/placement_request.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

namespace orch::control::placement {
namespace {

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

bool PlacementRequest::asks_only_for_model() const {
    const bool demands = engine || ctx != 0 || device_mask || !labels.empty();
    const bool chooses = !avoid.empty() || pinned() || !prefer.empty() || !failed.empty();
    return !demands && !chooses;
}

Result<std::vector<PlaceHint>> parse_hints(std::string_view text, std::string_view header) {
    std::vector<PlaceHint> hints;
    for (const std::string_view item : split(text, ',')) {
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
