#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "control/placement/decision.hpp"
#include "control/placement/feasibility.hpp"
#include "control/placement/placement_request.hpp"
#include "control/view/cluster_view.hpp"

#include <span>
#include <vector>

namespace orch::control::placement {

// The typed reason why no pool is left, most general first: the model is unknown, the pin cannot
// be met, the model has no ready pool, everything is avoided or not preferred.
Error make_rejection(
    const view::ClusterView& view, const PlacementRequest& request, const Tally& tally, Instant now
);

// Every pool in question with its reasons: the ranked ones first and in their order.
std::vector<Considered> explain_pools(
    const view::ClusterView& view,
    const PlacementRequest& request,
    std::span<const view::PoolRef> refs,
    std::span<const Candidate> ranked
);

}  // namespace orch::control::placement
