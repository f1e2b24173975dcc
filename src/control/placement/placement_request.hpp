#pragma once

#include "base/enums.hpp"
#include "base/result.hpp"
#include "base/strong_id.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace orch::control::placement {

// "node:ID" or "pool:ID" of a routing hint; exactly one is set.
struct PlaceHint {
    std::optional<NodeId> node;
    std::optional<PoolId> pool;

    bool matches(const PoolKey& key) const;
};

// A comma list of hints. Errors: invalid_params naming `header`.
Result<std::vector<PlaceHint>> parse_hints(std::string_view text, std::string_view header);

struct PlacementRequest {
    std::optional<std::string> model;  // nothing or "": any pool of `kind`
    ModelKind kind = ModelKind::chat;  // counts only without a model
    std::optional<NodeId> pin_node;
    std::optional<PoolId> pin_pool;
    std::vector<PlaceHint> prefer;  // only these, or first these with `fallback`
    std::vector<PlaceHint> avoid;   // never these
    bool fallback = false;          // a pin or preference that cannot be met may be dropped
    std::vector<PoolKey> exclude;   // asked already in this round
};

}  // namespace orch::control::placement
