#pragma once

#include "api/node_views.hpp"
#include "api/openai.hpp"
#include "apps/llorch/table.hpp"

#include <optional>
#include <string>

namespace orch::llorch {

// What `llorch models` prints: a row per served name, in the server's order. The list itself has
// no aliases: they are the other names of the pools that serve the model; without `pools` (the
// caller may not see them) that column is left out. Pure.
std::string models_text(
    const api::ModelList& list, const std::optional<api::PoolList>& pools, const TextStyle& style
);

}  // namespace orch::llorch
