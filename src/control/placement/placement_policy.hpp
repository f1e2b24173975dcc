#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "control/placement/choice_ledger.hpp"
#include "control/placement/decision.hpp"
#include "control/placement/placement_request.hpp"
#include "control/view/cluster_view.hpp"

#include <cstdint>
#include <string_view>

namespace orch::control::placement {

enum class Strategy {
    automatic,     // "auto": load, then free VRAM in whole GiB, then least recently chosen
    least_loaded,  // "least-loaded": load, then ids
};

// Errors: invalid_params naming what is allowed.
Result<Strategy> strategy_from(std::string_view name);
std::string_view to_string(Strategy strategy);

struct PlacementPolicy {
    Strategy strategy = Strategy::automatic;
};

enum class Explain { no, yes };

// Ranks the pools that may serve the request, or says why there is none. Nothing is claimed: the
// caller walks the ranking with cell->try_claim() and tells the ledger which one it took.
// Pools that meet pin and preference come first, suspect ones last among them, then the strategy
// orders. Pure but for the load cells it reads; any thread
// with its own ledger. Cost: one allocation and a sort of the model's pools; texts for Explain::yes
// only. Pointers in the decision live as long as `view`.
Decision decide(
    const view::ClusterView& view,
    const PlacementRequest& request,
    const PlacementPolicy& policy,
    const ChoiceLedger& ledger,
    Instant now,
    Explain explain = Explain::no
);

}  // namespace orch::control::placement
