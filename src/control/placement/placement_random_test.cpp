#include "base/rng.hpp"
#include "control/placement/placement_policy.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

// Random clusters and requests against the rules said once more in their plainest form.
namespace orch::control::placement {
namespace {

constexpr Instant kNow{std::chrono::hours(1)};

std::string name(Rng& rng, const char* prefix, std::uint64_t most) {
    return prefix + std::to_string(rng.below(most));
}

view::PoolBlock any_pool(Rng& rng, const NodeId& node, std::uint64_t number) {
    view::PoolBlock pool;
    pool.key = {node, PoolId("p" + std::to_string(number))};
    pool.served_name = name(rng, "m", 3);
    pool.models = {pool.served_name};
    pool.ready = rng.below(4) != 0;
    pool.draining = rng.below(6) == 0;
    pool.slots_total = static_cast<std::uint32_t>(rng.below(5));
    pool.vram_free = rng.below(4) * kGiB;
    pool.cell = std::make_shared<LoadCell>(pool.slots_total);
    for (std::uint64_t claims = rng.below(5); claims > 0; --claims) {
        static_cast<void>(pool.cell->try_claim());
    }
    if (rng.below(5) == 0) {
        pool.cell->suspect_until(kNow + Duration(1));
    }
    return pool;
}

view::ClusterView any_view(Rng& rng) {
    std::vector<view::NodeBlockPtr> nodes;
    for (std::uint64_t n = 0; n < 4; ++n) {
        auto node = std::make_shared<view::NodeBlock>();
        node->id = NodeId("n" + std::to_string(n));
        node->status = rng.below(4) == 0 ? NodeStatus::offline : NodeStatus::online;
        node->reachable = rng.below(6) != 0;
        for (std::uint64_t p = 0; p < 3; ++p) {
            node->pools.push_back(any_pool(rng, node->id, p));
        }
        nodes.push_back(std::move(node));
    }
    auto index = std::make_shared<const view::ModelIndex>(nodes);
    return view::ClusterView(1, std::move(nodes), std::move(index), Instant{});
}

PlaceHint any_hint(Rng& rng) {
    PlaceHint hint;
    if (rng.below(2) == 0) {
        hint.node = NodeId(name(rng, "n", 5));
    } else {
        hint.pool = PoolId(name(rng, "p", 4));
    }
    return hint;
}

PlacementRequest any_request(Rng& rng) {
    PlacementRequest request;
    if (rng.below(5) != 0) {
        request.model = name(rng, "m", 4);
    }
    if (rng.below(4) == 0) {
        request.pin_node = NodeId(name(rng, "n", 5));
    }
    if (rng.below(4) == 0) {
        request.pin_pool = PoolId(name(rng, "p", 4));
    }
    if (rng.below(3) == 0) {
        request.prefer = {any_hint(rng)};
    }
    if (rng.below(3) == 0) {
        request.avoid = {any_hint(rng)};
    }
    if (rng.below(3) == 0) {
        request.exclude = {{NodeId(name(rng, "n", 4)), PoolId(name(rng, "p", 3))}};
    }
    request.fallback = rng.below(2) == 0;
    return request;
}

bool fits(const view::NodeBlock& node, const view::PoolBlock& pool, const PlacementRequest& ask) {
    const bool up = node.status == NodeStatus::online && node.reachable;
    const bool serves = !ask.model || pool.lists(*ask.model);
    const bool avoided = !ask.avoid.empty() && ask.avoid[0].matches(pool.key);
    const bool pinned = (!ask.pin_node || node.id == *ask.pin_node) &&
                        (!ask.pin_pool || pool.key.pool == *ask.pin_pool);
    const bool preferred = ask.prefer.empty() || ask.prefer[0].matches(pool.key);
    return up && pool.ready && !pool.draining && serves && !avoided &&
           (ask.fallback || (pinned && preferred));
}

struct Expected {
    std::set<PoolKey> open;
    bool any_excluded = false;
};

Expected expected_of(const view::ClusterView& view, const PlacementRequest& request) {
    Expected expected;
    for (const view::NodeBlockPtr& node : view.nodes()) {
        for (const view::PoolBlock& pool : node->pools) {
            const bool excluded =
                std::ranges::find(request.exclude, pool.key) != request.exclude.end();
            if (fits(*node, pool, request)) {
                expected.any_excluded = expected.any_excluded || excluded;
                if (!excluded) {
                    expected.open.insert(pool.key);
                }
            }
        }
    }
    return expected;
}

double load(const Candidate& candidate) {
    return candidate.slots_total == 0 ? 1.0
                                      : static_cast<double>(candidate.busy) / candidate.slots_total;
}

void check_order(const std::vector<Candidate>& ranked) {
    for (std::size_t i = 1; i < ranked.size(); ++i) {
        const Candidate& better = ranked[i - 1];
        const Candidate& worse = ranked[i];
        ASSERT_GE(better.wanted, worse.wanted);
        if (better.wanted == worse.wanted) {
            ASSERT_LE(better.suspect, worse.suspect);
        }
        if (better.wanted == worse.wanted && better.suspect == worse.suspect) {
            ASSERT_LE(load(better), load(worse));
        }
    }
}

TEST(PlacementPolicy, AgreesWithItsRulesOnRandomClusters) {
    Rng rng(7);
    for (int round = 0; round < 5000; ++round) {
        SCOPED_TRACE(round);
        const view::ClusterView view = any_view(rng);
        const PlacementRequest request = any_request(rng);
        const Expected expected = expected_of(view, request);
        const Decision decision =
            decide(view, request, PlacementPolicy{}, ChoiceLedger{}, kNow, Explain::yes);
        std::set<PoolKey> ranked;
        for (const Candidate& candidate : decision.ranked) {
            ASSERT_TRUE(ranked.insert(candidate.pool->key).second);
        }
        ASSERT_EQ(ranked, expected.open);
        ASSERT_EQ(decision.all_excluded(), ranked.empty() && expected.any_excluded);
        ASSERT_EQ(decision.rejection.has_value(), ranked.empty() && !expected.any_excluded);
        check_order(decision.ranked);
        for (const Considered& each : decision.considered) {
            ASSERT_EQ(each.feasible, ranked.contains(each.key));
            ASSERT_FALSE(each.reasons.empty());
        }
    }
}

}  // namespace
}  // namespace orch::control::placement
