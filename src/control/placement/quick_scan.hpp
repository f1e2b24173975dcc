#pragma once

#include "base/clock.hpp"
#include "control/placement/choice_ledger.hpp"
#include "control/placement/placement_request.hpp"
#include "control/placement/strategy.hpp"
#include "control/view/cluster_view.hpp"

#include <cstdint>
#include <optional>

namespace orch::control::placement {

// What one pass over the pools of a model found.
struct QuickScan {
    std::optional<view::PoolRef> best;  // of those with a slot to claim, the first in the ranking
    std::uint32_t looked_at = 0;        // pools that serve the model, in any state
    std::uint32_t open = 0;             // of these: may serve the request now
    std::uint32_t excluded = 0;         // of these: would, but were asked already
};

// Whether quick_scan() can tell: the request asks for a model (or none) and nothing else of its
// place, and the policy spreads nothing.
bool can_scan_quickly(const PlacementRequest& request, const PlacementPolicy& policy);

// The first pool of decide()'s ranking that can be claimed, found without ranking: a few
// nanoseconds per pool. `past_waiters`: a slot may be claimed though somebody waits for it.
// Requires: can_scan_quickly().
QuickScan quick_scan(
    const view::ClusterView& view,
    const PlacementRequest& request,
    const PlacementPolicy& policy,
    const ChoiceLedger& ledger,
    Instant now,
    bool past_waiters
);

}  // namespace orch::control::placement
