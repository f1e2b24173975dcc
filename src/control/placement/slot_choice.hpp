#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "control/placement/choice_ledger.hpp"
#include "control/placement/decision.hpp"
#include "control/placement/placement_request.hpp"
#include "control/placement/strategy.hpp"
#include "control/view/cluster_view.hpp"

#include <cstdint>
#include <optional>

namespace orch::control::placement {

// On whose behalf a slot is claimed.
enum class Claim {
    newcomer,  // only while nobody waits for that pool
    waiter,    // of the request at the head of the queue
};

// Exactly one of: a claimed slot, a rejection, all_excluded, or none of them, when every pool that
// may serve the request is full.
struct SlotChoice {
    const view::NodeBlock* node = nullptr;  // of the claimed slot; lives as long as the view
    const view::PoolBlock* pool = nullptr;
    bool wanted = true;                      // meets the pin and the preference
    bool all_excluded = false;               // every pool that fits is in request.exclude
    std::optional<Error> rejection;          // as Decision's
    std::optional<Instant> awaited_until{};  // as Decision's
    std::uint32_t looked_at = 0;             // pools that serve the model, in any state
};

// Claims the slot that take_first() would find in decide()'s ranking, and enters it in the ledger;
// of a pool whose pause after failures is over it is the trial.
// Ranks nothing: a request that asks for a model and nothing else is one pass over a row of
// figures, without an allocation. Any thread with its own ledger.
SlotChoice choose_slot(
    const view::ClusterView& view,
    const PlacementRequest& request,
    const PlacementPolicy& policy,
    ChoiceLedger& ledger,
    Instant now,
    Claim claim
);

}  // namespace orch::control::placement
