#include "base/rng.hpp"
#include "control/placement/placement_policy.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

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
    if (!pool.ready && !pool.draining) {
        pool.loadable = rng.below(2) == 0;
        pool.loading = !pool.loadable && rng.below(3) == 0;
        pool.vram_need = pool.loadable ? rng.below(4) * kGiB : 0;
    }
    pool.slots_total = static_cast<std::uint32_t>(rng.below(5));
    pool.vram_free = rng.below(4) * kGiB;
    pool.engine = rng.below(3) == 0 ? EngineFamily::vllm : EngineFamily::llamacpp;
    pool.kind = rng.below(5) == 0 ? ModelKind::embedding : ModelKind::chat;
    pool.ctx = static_cast<std::uint32_t>(rng.below(3) * 4096);
    pool.device_mask = rng.below(2) == 0 ? "0" : "0,1";
    if (rng.below(2) == 0) {
        pool.labels = {{"zone", name(rng, "z", 2)}};
    }
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
        if (rng.below(2) == 0) {
            node->labels = {{"zone", name(rng, "z", 2)}};
        }
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

void add_requirements(Rng& rng, PlacementRequest& request) {
    if (rng.below(6) == 0) {
        request.engine = EngineFamily::vllm;
    }
    if (rng.below(6) == 0) {
        request.device_mask = "0";
    }
    if (rng.below(6) == 0) {
        request.labels = {{"zone", "z1"}};
    }
    request.ctx = rng.below(4) == 0 ? 8192 : 0;
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
    if (rng.below(3) == 0) {
        request.session = name(rng, "s", 10);
    }
    add_requirements(rng, request);
    return request;
}

PlacementPolicy any_policy(Rng& rng) {
    const auto names = strategy_names();
    PlacementPolicy policy{.strategy = *strategy_from(names[rng.below(names.size())])};
    policy.spread_by = rng.below(3) == 0 ? "zone" : "";
    return policy;
}

std::string zone_of(const view::NodeBlock& node, const view::PoolBlock& pool) {
    if (pool.labels.contains("zone")) {
        return pool.labels.at("zone");
    }
    return node.labels.contains("zone") ? node.labels.at("zone") : "";
}

// One bool per rule; the wishes do not count with fallback.
struct Rules {
    bool model, up, ready, engine, ctx, vram, mask, labels, not_avoided, pin, prefer, not_excluded;

    bool suitable() const { return model && engine && ctx && vram && mask && labels; }

    bool fits_if_ready() const { return suitable() && up && not_avoided && pin && prefer; }

    bool fits() const { return fits_if_ready() && ready; }

    std::size_t broken() const {
        const bool all[] = {
            model,
            up,
            ready,
            engine,
            ctx,
            vram,
            mask,
            labels,
            not_avoided,
            pin,
            prefer,
            not_excluded
        };
        return static_cast<std::size_t>(std::ranges::count(all, false));
    }
};

Rules rules_of(
    const view::NodeBlock& node, const view::PoolBlock& pool, const PlacementRequest& ask
) {
    const bool pinned = (!ask.pin_node || node.id == *ask.pin_node) &&
                        (!ask.pin_pool || pool.key.pool == *ask.pin_pool);
    const bool preferred = ask.prefer.empty() || ask.prefer[0].matches(pool.key);
    return {
        .model = ask.model ? pool.lists(*ask.model) : pool.kind == ask.kind,
        .up = node.status == NodeStatus::online && node.reachable,
        .ready = pool.ready && !pool.draining,
        .engine = !ask.engine || pool.engine == *ask.engine,
        .ctx = pool.ctx == 0 || pool.ctx >= ask.ctx,
        .vram = !pool.loadable || pool.vram_free >= pool.vram_need,
        .mask = !ask.device_mask || pool.device_mask == *ask.device_mask,
        .labels = ask.labels.empty() || zone_of(node, pool) == ask.labels.at("zone"),
        .not_avoided = ask.avoid.empty() || !ask.avoid[0].matches(pool.key),
        .pin = ask.fallback || pinned,
        .prefer = ask.fallback || preferred,
        .not_excluded = std::ranges::find(ask.exclude, pool.key) == ask.exclude.end(),
    };
}

struct Expected {
    std::set<PoolKey> open;
    std::map<PoolKey, std::size_t> broken_rules;
    std::map<PoolKey, Bytes> to_load;  // would do, with the memory that is free there
    bool any_loading = false;
    bool any_excluded = false;
    bool any_listed = false;
    bool any_suitable = false;
};

Expected expected_of(const view::ClusterView& view, const PlacementRequest& request) {
    Expected expected;
    for (const view::NodeBlockPtr& node : view.nodes()) {
        for (const view::PoolBlock& pool : node->pools) {
            const Rules rules = rules_of(*node, pool, request);
            expected.broken_rules[pool.key] = rules.broken();
            expected.any_listed = expected.any_listed || rules.model;
            expected.any_suitable = expected.any_suitable || rules.suitable();
            if (rules.broken() == 0) {
                expected.open.insert(pool.key);
            }
            expected.any_excluded = expected.any_excluded || (rules.fits() && !rules.not_excluded);
            if (rules.fits_if_ready()) {
                expected.any_loading = expected.any_loading || pool.loading;
                if (pool.loadable && rules.not_excluded) {
                    expected.to_load[pool.key] = pool.vram_free;
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

// What must hold between neighbours, whatever ends the ties.
void check_order(const Candidate& better, const Candidate& worse, const PlacementPolicy& policy) {
    const auto head = [](const Candidate& each) {
        return std::tuple(!each.wanted, each.suspect, -each.affinity, each.spread_load);
    };
    ASSERT_LE(head(better), head(worse));
    if (head(better) != head(worse)) {
        return;
    }
    switch (policy.strategy) {
        case Strategy::automatic:
        case Strategy::least_loaded:
            ASSERT_LE(load(better), load(worse));
            break;
        case Strategy::most_free_vram:
            ASSERT_GE(better.free_gib, worse.free_gib);
            break;
        case Strategy::round_robin:
            ASSERT_LE(better.last_chosen, worse.last_chosen);
            break;
        case Strategy::random:
        case Strategy::power_of_two:
            break;
    }
}

void check_order(const std::vector<Candidate>& ranked, const PlacementPolicy& policy) {
    for (std::size_t i = 1; i < ranked.size(); ++i) {
        check_order(ranked[i - 1], ranked[i], policy);
    }
}

std::vector<PoolKey> keys_of(const Decision& decision) {
    std::vector<PoolKey> keys;
    for (const Candidate& candidate : decision.ranked) {
        keys.push_back(candidate.pool->key);
    }
    return keys;
}

void check_rejection(
    const Decision& decision, const Expected& expected, const PlacementRequest& request
) {
    const bool none = expected.open.empty();
    ASSERT_EQ(decision.all_excluded(), none && expected.any_excluded);
    ASSERT_EQ(decision.rejection.has_value(), none && !expected.any_excluded);
    if (!decision.rejection) {
        return;
    }
    const Errc code = decision.rejection->code;
    const bool pin_counts = request.pinned() && !request.fallback;
    ASSERT_EQ(code == Errc::model_not_found, request.model && !expected.any_listed);
    ASSERT_TRUE(pin_counts || (code != Errc::node_unavailable && code != Errc::pool_unready));
    if (!pin_counts && expected.any_listed && !expected.any_suitable) {
        ASSERT_EQ(code, Errc::pool_unavailable);
    }
    ASSERT_FALSE(decision.rejection->message.empty());
}

// Something is waited for exactly when it is on its way, or can be.
void check_awaited(
    const Decision& decision, const Expected& expected, const PlacementRequest& request
) {
    const bool hope = expected.any_loading || !expected.to_load.empty();
    ASSERT_EQ(decision.awaited_until.has_value(), decision.rejection.has_value() && hope);
    ASSERT_EQ(
        decision.to_load != nullptr, decision.awaited_until.has_value() && !expected.any_loading
    );
    if (decision.to_load == nullptr) {
        return;
    }
    ASSERT_EQ(decision.awaited_until, kWhileLoading);
    ASSERT_TRUE(expected.to_load.contains(decision.to_load->key));
    for (const auto& [key, vram_free] : expected.to_load) {
        const bool wished = request.pinned() || !request.prefer.empty();
        ASSERT_TRUE(wished || vram_free <= decision.to_load->vram_free);
    }
}

// Every pool of the cluster once, and no reason missing or invented.
void check_reasons(const Decision& decision, const Expected& expected) {
    std::set<PoolKey> seen;
    for (const Considered& each : decision.considered) {
        ASSERT_TRUE(seen.insert(each.key).second);
        ASSERT_EQ(each.feasible, expected.open.contains(each.key));
        if (each.feasible) {
            ASSERT_GE(each.reasons.size(), 2U);
        } else {
            ASSERT_EQ(each.reasons.size(), expected.broken_rules.at(each.key));
        }
    }
    ASSERT_EQ(seen.size(), expected.broken_rules.size());
}

ChoiceLedger any_ledger(Rng& rng, const view::ClusterView& view) {
    ChoiceLedger ledger{rng.next()};
    for (const view::NodeBlockPtr& node : view.nodes()) {
        if (rng.below(2) == 0) {
            ledger.chosen(*node->pools[rng.below(node->pools.size())].cell);
        }
    }
    return ledger;
}

TEST(PlacementPolicy, AgreesWithItsRulesOnRandomClusters) {
    Rng rng(7);
    for (int round = 0; round < 5000 && !testing::Test::HasFatalFailure(); ++round) {
        SCOPED_TRACE(round);
        const view::ClusterView view = any_view(rng);
        const PlacementRequest request = any_request(rng);
        const PlacementPolicy policy = any_policy(rng);
        const ChoiceLedger ledger = any_ledger(rng, view);
        const Expected expected = expected_of(view, request);
        const Decision decision = decide(view, request, policy, ledger, kNow, Explain::yes);
        const std::vector<PoolKey> ranked = keys_of(decision);
        ASSERT_EQ(std::set<PoolKey>(ranked.begin(), ranked.end()), expected.open);
        ASSERT_EQ(ranked.size(), expected.open.size());
        check_rejection(decision, expected, request);
        check_awaited(decision, expected, request);
        check_order(decision.ranked, policy);
        check_reasons(decision, expected);
        ASSERT_EQ(keys_of(decide(view, request, policy, ledger, kNow)), ranked)
            << "the same question has the same answer";
    }
}

}  // namespace
}  // namespace orch::control::placement
