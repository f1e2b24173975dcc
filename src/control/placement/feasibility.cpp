#include "control/placement/feasibility.hpp"

#include <algorithm>

namespace orch::control::placement {
namespace {

constexpr Filters kWishes{Filter::pin, Filter::prefer};
constexpr Filters kReadiness{Filter::node, Filter::pool};
constexpr Filters kChoice{Filter::avoid, Filter::pin, Filter::prefer, Filter::exclude};

bool any_matches(const std::vector<PlaceHint>& hints, const PoolKey& key) {
    return std::ranges::any_of(hints, [&](const PlaceHint& hint) { return hint.matches(key); });
}

bool lacks_ctx(const view::PoolBlock& pool, const PlacementRequest& request) {
    return pool.ctx != 0 && pool.ctx < request.ctx;
}

bool lacks_label(
    const view::NodeBlock& node, const view::PoolBlock& pool, const PlacementRequest& request
) {
    return std::ranges::any_of(request.labels, [&](const auto& label) {
        return view::label_of(node, pool, label.first) != label.second;
    });
}

bool misses_pin(const PoolKey& key, const PlacementRequest& request) {
    return (request.pin_node && *request.pin_node != key.node) ||
           (request.pin_pool && *request.pin_pool != key.pool);
}

bool was_asked(const view::PoolBlock& pool, const PlacementRequest& request) {
    const PoolLife now{pool.key, pool.life};
    return std::ranges::find(request.exclude, pool.key) != request.exclude.end() ||
           std::ranges::find(request.failed, now) != request.failed.end();
}

}  // namespace

bool serves(const view::PoolBlock& pool, const PlacementRequest& request) {
    return request.names_model() ? pool.lists(*request.model) : pool.kind == request.kind;
}

bool Verdict::feasible(bool fallback) const {
    const Filters blocking = failed.without(Filters(Filter::exclude));
    return (fallback ? blocking.without(kWishes) : blocking).empty();
}

Verdict judge(
    const view::NodeBlock& node, const view::PoolBlock& pool, const PlacementRequest& request
) {
    const bool wrong_engine = request.engine && *request.engine != pool.engine;
    const bool wrong_mask = request.device_mask && *request.device_mask != pool.device_mask;
    Filters failed;
    failed.add(Filter::node, !node.takes_work());
    failed.add(Filter::pool, !pool.ready || pool.draining);
    failed.add(Filter::engine, wrong_engine);
    failed.add(Filter::ctx, lacks_ctx(pool, request));
    failed.add(Filter::vram, pool.loadable && pool.vram_free < pool.vram_need);
    failed.add(Filter::device_mask, wrong_mask);
    failed.add(Filter::labels, !request.labels.empty() && lacks_label(node, pool, request));
    failed.add(Filter::avoid, any_matches(request.avoid, pool.key));
    failed.add(Filter::pin, misses_pin(pool.key, request));
    failed.add(Filter::prefer, !request.prefer.empty() && !any_matches(request.prefer, pool.key));
    failed.add(Filter::exclude, was_asked(pool, request));
    return {failed};
}

void Tally::count(Verdict verdict) {
    const Filters blocking = verdict.failed.without(kChoice);
    const bool is_suitable = blocking.without(kReadiness).empty();
    ++listed;
    suitable += is_suitable ? 1 : 0;
    ready += blocking.empty() ? 1 : 0;
    feasible += verdict.feasible(true) ? 1 : 0;
    feasible_strictly += verdict.feasible(false) ? 1 : 0;
    failed_by_all = failed_by_all.common(verdict.failed);
}

bool Tally::any_feasible(bool fallback) const {
    return fallback ? feasible != 0 : feasible_strictly != 0;
}

}  // namespace orch::control::placement
