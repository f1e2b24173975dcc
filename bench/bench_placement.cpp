#include "base/clock.hpp"
#include "base/load_cell_rows.hpp"
#include "base/rng.hpp"
#include "control/placement/slot_choice.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

// One decision over 1,000 nodes with four pools each: the time of each is taken, so that the slow
// ones show. A decision includes the claim of the slot it found and the entry in the ledger.
namespace orch::control::placement {
namespace {

constexpr std::size_t kNodes = 1000;
constexpr std::size_t kPools = 4;
constexpr std::uint32_t kSlots = 8;
constexpr std::uint64_t kSeed = 1;

std::string model_name(std::size_t number) {
    return "model-" + std::to_string(number);
}

view::PoolBlock make_pool(
    Rng& rng, LoadCellRows& cells, const NodeId& node, std::size_t number, std::size_t models
) {
    view::PoolBlock pool;
    pool.key = {node, PoolId("pool-" + std::to_string(number))};
    pool.served_name = model_name(rng.below(models));
    pool.models = {pool.served_name};
    pool.ready = true;
    pool.slots_total = kSlots;
    pool.vram_free = rng.below(80) * kGiB;
    pool.cell = cells.make();
    pool.cell->set_capacity(kSlots);
    for (std::uint64_t claims = rng.below(kSlots); claims > 0; --claims) {
        static_cast<void>(pool.cell->try_claim());
    }
    return pool;
}

view::ClusterView make_cluster(Rng& rng, std::size_t models) {
    std::vector<view::NodeBlockPtr> nodes;
    LoadCellRows cells;
    for (std::size_t n = 0; n < kNodes; ++n) {
        auto node = std::make_shared<view::NodeBlock>();
        node->id = NodeId("node-" + std::to_string(kNodes + n));
        node->status = NodeStatus::online;
        node->reachable = true;
        node->labels = {{"zone", "zone-" + std::to_string(n % 8)}};
        for (std::size_t p = 0; p < kPools; ++p) {
            node->pools.push_back(make_pool(rng, cells, node->id, p, models));
        }
        nodes.push_back(std::move(node));
    }
    auto index = std::make_shared<const view::ModelIndex>(nodes);
    return view::ClusterView(1, std::move(nodes), std::move(index), Instant{});
}

// What the benchmarks differ in.
struct Setup {
    std::size_t models;  // 4000 pools are dealt to so many
    PlacementPolicy policy;
    bool sessions = false;
};

void tell_percentiles(benchmark::State& state, std::vector<Duration>& times) {
    if (times.empty()) {
        return;
    }
    std::ranges::sort(times);
    const auto at = [&](std::size_t percent) {
        const std::size_t index = std::min(times.size() - 1, times.size() * percent / 100);
        return static_cast<double>(times[index].count()) / 1000.0;
    };
    state.counters["p50_us"] = at(50);
    state.counters["p99_us"] = at(99);
}

void place(benchmark::State& state, const Setup& setup) {
    const SystemClock clock;
    Rng rng(kSeed);
    const view::ClusterView view = make_cluster(rng, setup.models);
    ChoiceLedger ledger(kSeed);
    ledger.retain(view);
    std::vector<Duration> times;
    std::vector<std::shared_ptr<LoadCell>> claimed;
    for (auto _ : state) {
        state.PauseTiming();
        PlacementRequest request;
        request.model = model_name(rng.below(setup.models));
        request.session = setup.sessions ? std::to_string(rng.below(10'000)) : "";
        state.ResumeTiming();
        const Instant begin = clock.now();
        const SlotChoice taken =
            choose_slot(view, request, setup.policy, ledger, begin, Claim::newcomer);
        times.push_back(clock.now() - begin);
        if (taken.pool != nullptr) {
            claimed.push_back(taken.pool->cell);
        }
        state.PauseTiming();
        // Load stays as it was at the start: a slot of somebody else becomes free.
        if (claimed.size() > kNodes) {
            std::swap(claimed[rng.below(claimed.size())], claimed.back());
            static_cast<void>(claimed.back()->release());
            claimed.pop_back();
        }
        state.ResumeTiming();
    }
    tell_percentiles(state, times);
}

const PlacementPolicy kAuto{};
const PlacementPolicy kSpread{.strategy = Strategy::automatic, .spread_by = "zone"};

BENCHMARK_CAPTURE(place, auto_4_pools, Setup{kNodes, kAuto});
BENCHMARK_CAPTURE(place, auto_40_pools, Setup{100, kAuto});
BENCHMARK_CAPTURE(place, auto_400_pools, Setup{10, kAuto});
BENCHMARK_CAPTURE(place, auto_4000_pools, Setup{1, kAuto});
BENCHMARK_CAPTURE(place, session_40_pools, Setup{100, kAuto, true});
BENCHMARK_CAPTURE(place, session_4000_pools, Setup{1, kAuto, true});
BENCHMARK_CAPTURE(place, spread_40_pools, Setup{100, kSpread});
BENCHMARK_CAPTURE(place, spread_4000_pools, Setup{1, kSpread});
BENCHMARK_CAPTURE(place, round_robin_4000_pools, Setup{1, {Strategy::round_robin}});
BENCHMARK_CAPTURE(place, random_4000_pools, Setup{1, {Strategy::random}});
BENCHMARK_CAPTURE(place, power_of_two_4000_pools, Setup{1, {Strategy::power_of_two}});

}  // namespace
}  // namespace orch::control::placement
