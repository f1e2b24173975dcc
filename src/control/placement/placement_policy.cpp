#include "control/placement/placement_policy.hpp"

#include "control/placement/feasibility.hpp"
#include "control/placement/rejection.hpp"

#include <algorithm>
#include <span>
#include <tuple>
#include <utility>

namespace orch::control::placement {
namespace {

using view::ClusterView;
using view::PoolBlock;
using view::PoolRef;

Candidate make_candidate(
    const ClusterView& view, PoolRef ref, const ChoiceLedger& ledger, Instant now, bool wanted
) {
    const PoolBlock& pool = view.pool(ref);
    Candidate candidate;
    candidate.node = &view.node(ref);
    candidate.pool = &pool;
    candidate.wanted = wanted;
    candidate.suspect = pool.cell->suspect(now);
    candidate.busy = pool.busy();
    candidate.slots_total = pool.slots_total;
    candidate.free_gib = pool.vram_free / kGiB;
    candidate.last_chosen = ledger.last_chosen(*pool.cell);
    return candidate;
}

// busy/slots as fractions, compared without division; a pool of no slots is full.
bool less_loaded(const Candidate& a, const Candidate& b) {
    const auto fraction = [](const Candidate& candidate) {
        const bool none = candidate.slots_total == 0;
        return std::pair<std::uint64_t, std::uint64_t>(
            none ? 1 : candidate.busy, none ? 1 : candidate.slots_total
        );
    };
    const auto [a_busy, a_slots] = fraction(a);
    const auto [b_busy, b_slots] = fraction(b);
    return a_busy * b_slots < b_busy * a_slots;
}

struct BetterThan {
    Strategy strategy;

    bool operator()(const Candidate& a, const Candidate& b) const {
        if (a.wanted != b.wanted || a.suspect != b.suspect) {
            return std::tuple(!a.wanted, a.suspect) < std::tuple(!b.wanted, b.suspect);
        }
        if (less_loaded(a, b) || less_loaded(b, a)) {
            return less_loaded(a, b);
        }
        if (strategy == Strategy::automatic && a.free_gib != b.free_gib) {
            return a.free_gib > b.free_gib;
        }
        if (strategy == Strategy::automatic && a.last_chosen != b.last_chosen) {
            return a.last_chosen < b.last_chosen;
        }
        return a.pool->key < b.pool->key;
    }
};

// Once around the pools that list the model (or are of the kind).
struct Survey {
    std::vector<Candidate> open;
    Tally tally;
};

Survey survey(
    const ClusterView& view,
    const PlacementRequest& request,
    std::span<const PoolRef> refs,
    const ChoiceLedger& ledger,
    Instant now
) {
    Survey seen;
    seen.open.reserve(refs.size());
    for (const PoolRef ref : refs) {
        const Verdict verdict = judge(view.node(ref), view.pool(ref), request);
        seen.tally.count(verdict);
        if (verdict.feasible(request.fallback) && !verdict.excluded) {
            seen.open.push_back(make_candidate(view, ref, ledger, now, verdict.wanted()));
        }
    }
    return seen;
}

std::span<const PoolRef> pools_in_question(
    const ClusterView& view, const PlacementRequest& request
) {
    const bool named = request.model && !request.model->empty();
    return named ? view.find_model(*request.model) : view.pools_of(request.kind);
}

}  // namespace

Result<Strategy> strategy_from(std::string_view name) {
    if (name == "auto") {
        return Strategy::automatic;
    }
    if (name == "least-loaded") {
        return Strategy::least_loaded;
    }
    return fail(
        Errc::invalid_params,
        "placement_strategy: '" + std::string(name) + "' is not one of auto, least-loaded"
    );
}

std::string_view to_string(Strategy strategy) {
    return strategy == Strategy::automatic ? "auto" : "least-loaded";
}

Decision decide(
    const view::ClusterView& view,
    const PlacementRequest& request,
    const PlacementPolicy& policy,
    const ChoiceLedger& ledger,
    Instant now,
    Explain explain
) {
    const auto refs = pools_in_question(view, request);
    Survey seen = survey(view, request, refs, ledger, now);
    Decision decision;
    decision.ranked = std::move(seen.open);
    std::ranges::sort(decision.ranked, BetterThan{policy.strategy});
    if (!seen.tally.any_feasible(request.fallback)) {
        decision.rejection = make_rejection(view, request, seen.tally, now);
    }
    if (explain == Explain::yes) {
        decision.considered = explain_pools(view, request, refs, decision.ranked);
    }
    return decision;
}

}  // namespace orch::control::placement
