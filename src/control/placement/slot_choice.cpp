#include "control/placement/slot_choice.hpp"

#include "control/placement/placement_policy.hpp"
#include "control/placement/quick_scan.hpp"

#include <utility>

namespace orch::control::placement {
namespace {

// Another thread may claim what was found. So many looks are cheaper than one ranking.
constexpr int kLooks = 4;

bool take(LoadCell& cell, Claim claim) {
    return claim == Claim::waiter ? cell.claim_for_waiter() : cell.try_claim();
}

SlotChoice choose_by_ranking(
    const view::ClusterView& view,
    const PlacementRequest& request,
    const PlacementPolicy& policy,
    const ChoiceLedger& ledger,
    Instant now,
    Claim claim
) {
    Decision decision = decide(view, request, policy, ledger, now);
    SlotChoice choice;
    choice.looked_at = decision.looked_at;
    choice.all_excluded = decision.all_excluded();
    choice.rejection = std::move(decision.rejection);
    choice.awaited_until = decision.awaited_until;
    const Candidate* const taken = take_first(decision, [claim](const Candidate& candidate) {
        return take(*candidate.pool->cell, claim);
    });
    if (taken != nullptr) {
        choice.node = taken->node;
        choice.pool = taken->pool;
        choice.wanted = taken->wanted;
    }
    return choice;
}

// Nothing when only a ranking can tell.
std::optional<SlotChoice> choose_quickly(
    const view::ClusterView& view,
    const PlacementRequest& request,
    const PlacementPolicy& policy,
    const ChoiceLedger& ledger,
    Instant now,
    Claim claim
) {
    for (int look = 0; look < kLooks; ++look) {
        const QuickScan found =
            quick_scan(view, request, policy, ledger, now, claim == Claim::waiter);
        SlotChoice choice;
        choice.looked_at = found.looked_at;
        if (!found.best) {
            choice.all_excluded = found.open == 0 && found.excluded != 0;
            const bool rejected = found.open == 0 && found.excluded == 0;
            return rejected ? std::nullopt : std::optional(std::move(choice));
        }
        if (take(*view.pool(*found.best).cell, claim)) {
            choice.node = &view.node(*found.best);
            choice.pool = &view.pool(*found.best);
            return choice;
        }
    }
    return std::nullopt;
}

}  // namespace

SlotChoice choose_slot(
    const view::ClusterView& view,
    const PlacementRequest& request,
    const PlacementPolicy& policy,
    ChoiceLedger& ledger,
    Instant now,
    Claim claim
) {
    std::optional<SlotChoice> quick;
    if (can_scan_quickly(request, policy)) {
        quick = choose_quickly(view, request, policy, ledger, now, claim);
    }
    SlotChoice choice =
        quick ? std::move(*quick) : choose_by_ranking(view, request, policy, ledger, now, claim);
    if (choice.pool != nullptr) {
        choice.pool->cell->claimed_at(now);
        ledger.chosen(*choice.pool->cell);
    }
    return choice;
}

}  // namespace orch::control::placement
