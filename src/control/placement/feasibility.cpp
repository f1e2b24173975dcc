#include "control/placement/feasibility.hpp"

#include <algorithm>

namespace orch::control::placement {
namespace {

bool any_matches(const std::vector<PlaceHint>& hints, const PoolKey& key) {
    return std::ranges::any_of(hints, [&](const PlaceHint& hint) { return hint.matches(key); });
}

}  // namespace

Verdict judge(
    const view::NodeBlock& node, const view::PoolBlock& pool, const PlacementRequest& request
) {
    Verdict verdict;
    verdict.node_ok = node.takes_work();
    verdict.pool_ok = pool.ready && !pool.draining;
    verdict.avoided = any_matches(request.avoid, pool.key);
    verdict.pinned = (!request.pin_node || *request.pin_node == pool.key.node) &&
                     (!request.pin_pool || *request.pin_pool == pool.key.pool);
    verdict.preferred = request.prefer.empty() || any_matches(request.prefer, pool.key);
    verdict.excluded = std::ranges::find(request.exclude, pool.key) != request.exclude.end();
    return verdict;
}

void Tally::count(const Verdict& verdict) {
    ++listed;
    ready += verdict.ready() ? 1 : 0;
    ready_unavoided += verdict.feasible(true) ? 1 : 0;
    feasible_strictly += verdict.feasible(false) ? 1 : 0;
}

bool Tally::any_feasible(bool fallback) const {
    return fallback ? ready_unavoided != 0 : feasible_strictly != 0;
}

}  // namespace orch::control::placement
