#include "control/placement/placement_policy.hpp"

#include "control/placement/explanation.hpp"
#include "control/placement/feasibility.hpp"
#include "control/placement/label_spread.hpp"
#include "control/placement/ranking.hpp"
#include "control/placement/rejection.hpp"
#include "control/placement/session_affinity.hpp"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>
#include <vector>

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

// Once around the pools that serve the model.
struct Survey {
    std::vector<Candidate> open;
    bool any_trusted = false;
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
        if (verdict.feasible(request.fallback) && !verdict.excluded()) {
            seen.open.push_back(make_candidate(view, ref, ledger, now, verdict.wanted()));
            seen.any_trusted = seen.any_trusted || !seen.open.back().suspect;
        }
    }
    return seen;
}

void measure_affinity(std::vector<Candidate>& candidates, const std::string& session) {
    const SessionAffinity affinity(session);
    for (Candidate& candidate : candidates) {
        candidate.affinity = affinity.of(candidate.pool->key, candidate.slots_total);
    }
}

void measure(
    std::vector<Candidate>& candidates,
    const PlacementRequest& request,
    const PlacementPolicy& policy
) {
    if (policy.strategy == Strategy::automatic && !request.session.empty()) {
        measure_affinity(candidates, request.session);
    }
    if (!policy.spread_by.empty()) {
        measure_spread(candidates, policy.spread_by);
    }
}

// Lacks nothing but that it is loaded.
std::optional<Verdict> judge_as_ready(
    const ClusterView& view, PoolRef ref, const PlacementRequest& request
) {
    Verdict verdict = judge(view.node(ref), view.pool(ref), request);
    verdict.failed = verdict.failed.without(Filters(Filter::pool));
    return verdict.feasible(request.fallback) ? std::optional(verdict) : std::nullopt;
}

// Of two pools at rest the one to load: first what the request wishes, then where the most memory
// is free.
bool better_to_load(const PoolBlock& a, bool a_wanted, const PoolBlock& b, bool b_wanted) {
    if (a_wanted != b_wanted) {
        return a_wanted;
    }
    return a.vram_free != b.vram_free ? a.vram_free > b.vram_free : a.key < b.key;
}

// What a request that finds no place may wait for.
void look_ahead(
    Decision& decision,
    const ClusterView& view,
    const PlacementRequest& request,
    std::span<const PoolRef> refs,
    Duration return_wait,
    Instant now
) {
    bool to_load_wanted = false;
    for (const PoolRef ref : refs) {
        const PoolBlock& pool = view.pool(ref);
        const bool returns = pool.left_at && *pool.left_at + return_wait > now;
        if (!returns && !pool.loading && !pool.loadable) {
            continue;
        }
        const auto verdict = judge_as_ready(view, ref, request);
        if (!verdict) {
            continue;
        }
        if (pool.loading || returns) {
            const Instant until = pool.loading ? kWhileLoading : *pool.left_at + return_wait;
            decision.awaited_until = std::max(decision.awaited_until.value_or(now), until);
        } else if (!verdict->excluded() &&
                   (decision.to_load == nullptr ||
                    better_to_load(pool, verdict->wanted(), *decision.to_load, to_load_wanted))) {
            decision.to_load = &pool;
            to_load_wanted = verdict->wanted();
        }
    }
    if (decision.awaited_until) {
        decision.to_load = nullptr;
    } else if (decision.to_load != nullptr) {
        decision.awaited_until = kWhileLoading;
    }
}

std::span<const PoolRef> pools_in_question(
    const ClusterView& view, const PlacementRequest& request
) {
    return request.names_model() ? view.find_model(*request.model) : view.pools_of(request.kind);
}

}  // namespace

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
    measure(seen.open, request, policy);
    Decision decision;
    decision.ranked = std::move(seen.open);
    decision.any_trusted = seen.any_trusted;
    decision.looked_at = seen.tally.listed;
    rank(decision, policy, ledger.chance());
    if (!seen.tally.any_feasible(request.fallback)) {
        decision.rejection = make_rejection(view, request, seen.tally, now);
        look_ahead(decision, view, request, refs, policy.return_wait, now);
    }
    if (explain == Explain::yes) {
        while (decision.in_order < decision.ranked.size()) {
            order_more(decision);
        }
        decision.considered = explain_pools(view, request, refs, decision.ranked);
    }
    return decision;
}

}  // namespace orch::control::placement
