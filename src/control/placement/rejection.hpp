#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "control/placement/feasibility.hpp"
#include "control/placement/placement_request.hpp"
#include "control/view/cluster_view.hpp"

namespace orch::control::placement {

// The typed reason why no pool is left, most general first: the model is unknown, the pin cannot
// be met, no pool meets the requirements, none that does is ready, everything is avoided or not
// preferred.
Error make_rejection(
    const view::ClusterView& view, const PlacementRequest& request, const Tally& tally, Instant now
);

}  // namespace orch::control::placement
