#pragma once

#include "base/enums.hpp"
#include "base/result.hpp"
#include "base/strong_id.hpp"
#include "control/view/node_block.hpp"

#include <cstdint>
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

// A pool as long as its engines are the same.
struct PoolLife {
    PoolKey key;
    std::uint64_t life = 0;  // PoolBlock::life

    friend bool operator==(const PoolLife&, const PoolLife&) = default;
};

// What a request asks of its place. A default asks nothing: any ready chat pool will do.
struct PlacementRequest {
    std::optional<std::string> model;  // nothing or "": any pool of `kind`
    ModelKind kind = ModelKind::chat;  // counts only without a model

    // Requirements: never dropped, not even with `fallback`.
    std::optional<EngineFamily> engine;
    std::uint32_t ctx = 0;                   // tokens in one slot; a pool that does not say passes
    std::optional<std::string> device_mask;  // the pool's, letter by letter: "0,1"
    view::Labels labels;                     // all of them, as view::label_of() has them
    std::vector<PlaceHint> avoid;            // never these

    // Wishes: with `fallback`, one that cannot be met may be dropped.
    std::optional<NodeId> pin_node;
    std::optional<PoolId> pin_pool;
    std::vector<PlaceHint> prefer;  // only these, or first these with `fallback`
    bool fallback = false;

    std::string session;           // requests of one session like the same pool; "" = none
    std::vector<PoolKey> exclude;  // asked already in this round
    std::vector<PoolLife> failed;  // failed it: not to be asked before their engines are others

    bool names_model() const { return model && !model->empty(); }

    bool pinned() const { return pin_node || pin_pool; }

    // `exclude` apart, a model, or none, is all it demands of a place that is ready; the session
    // is a wish.
    bool asks_only_for_model() const;
};

}  // namespace orch::control::placement
