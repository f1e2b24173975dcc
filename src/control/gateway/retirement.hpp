#pragma once

#include "base/result.hpp"
#include "control/placement/placement_request.hpp"
#include "control/view/cluster_view.hpp"
#include "control/view/retired_models.hpp"

namespace orch::control::gateway {

// Keeps a request from retired models: pools whose served name is retired join its avoid list, so
// that an alias, or no model at all, finds those that are left. Pure.
// Errors: model_deprecated, when the name itself is retired, or every pool that it could go to.
Result<void> leave_out_retired(
    const view::ClusterView& view,
    const view::RetiredModels& retired,
    placement::PlacementRequest& request
);

}  // namespace orch::control::gateway
