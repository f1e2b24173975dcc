#pragma once

#include "base/clock.hpp"
#include "control/placement/choice_ledger.hpp"
#include "control/placement/decision.hpp"
#include "control/placement/placement_request.hpp"
#include "control/placement/strategy.hpp"
#include "control/view/cluster_view.hpp"

namespace orch::control::placement {

enum class Explain { no, yes };

// Ranks the pools that may serve the request (see rank()), or says why there is none. Nothing is
// claimed: the caller walks the ranking with take_first() and cell->try_claim() and tells the
// ledger which one it took, so a pool without a free slot yields to the next. Pure but for the load
// cells it reads: equal arguments, equal decision. Any thread with its own ledger. Cost: one
// allocation and a sort of the model's pools; texts for Explain::yes only. Pointers in the decision
// live as long as `view`.
Decision decide(
    const view::ClusterView& view,
    const PlacementRequest& request,
    const PlacementPolicy& policy,
    const ChoiceLedger& ledger,
    Instant now,
    Explain explain = Explain::no
);

}  // namespace orch::control::placement
