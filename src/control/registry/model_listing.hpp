#pragma once

#include "api/openai.hpp"
#include "control/view/cluster_view.hpp"

#include <cstdint>

namespace orch::control::registry {

// GET /v1/models: the served names that Online nodes list, in order of name.
// created_seconds: Unix time shown for every model.
api::ModelList list_models(const view::ClusterView& view, std::int64_t created_seconds);

}  // namespace orch::control::registry
