#pragma once

#include "api/node_views.hpp"
#include "apps/llorch/table.hpp"

#include <string>

namespace orch::llorch {

// What `llorch nodes` prints: a row per node, in the server's order, and under a node that cannot
// be reached the reason. Pure.
std::string nodes_text(const api::NodeList& list, const TextStyle& style);

}  // namespace orch::llorch
