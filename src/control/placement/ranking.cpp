#include "control/placement/ranking.hpp"

#include "base/rng.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <utility>

namespace orch::control::placement {
namespace {

constexpr std::size_t kFirstOrdered = 32;  // more is rarely looked at

using Key = std::array<std::uint64_t, 3>;

// The bits of a number that is not negative are in the order of the numbers.
std::uint64_t ascending(double value) {
    return std::bit_cast<std::uint64_t>(value);
}

// Busy slots of all slots; a pool of no slots is full. Equal fractions are equal numbers.
std::uint64_t load_key(const Candidate& candidate) {
    const double load = candidate.slots_total == 0
                            ? 1.0
                            : static_cast<double>(candidate.busy) / candidate.slots_total;
    return ascending(load);
}

Key strategy_key(Strategy strategy, const Candidate& candidate, Rng& lots) {
    const std::uint64_t load = load_key(candidate);
    const std::uint64_t vram = ~candidate.free_gib;
    switch (strategy) {
        case Strategy::automatic:
            return {load, vram, candidate.last_chosen};
        case Strategy::least_loaded:
            return {load};
        case Strategy::most_free_vram:
            return {vram, load, candidate.last_chosen};
        case Strategy::round_robin:
            return {candidate.last_chosen};
        case Strategy::random:
        case Strategy::power_of_two:
            return {lots.next()};
    }
    return {};
}

// Fallbacks come last, then what is suspect; within each, the highest affinity first.
std::uint64_t class_key(const Candidate& candidate) {
    const std::uint64_t rank = (candidate.wanted ? 0U : 2U) + (candidate.suspect ? 1U : 0U);
    return (rank << 62U) | affinity_key(candidate.affinity);
}

bool same_class(const Candidate& a, const Candidate& b) {
    return a.rank[0] == b.rank[0] && a.rank[1] == b.rank[1];
}

bool better(const Candidate& a, const Candidate& b) {
    return a.rank != b.rank ? a.rank < b.rank : a.pool->key < b.pool->key;
}

void prefer_less_loaded_of_two(std::vector<Candidate>& ordered) {
    if (ordered.size() < 2 || !same_class(ordered[0], ordered[1])) {
        return;
    }
    if (load_key(ordered[1]) < load_key(ordered[0])) {
        std::swap(ordered[0], ordered[1]);
    }
}

}  // namespace

void order_more(Decision& decision) {
    const auto begin = decision.ranked.begin() + static_cast<std::ptrdiff_t>(decision.in_order);
    const std::size_t rest = decision.ranked.size() - decision.in_order;
    const std::size_t next = std::max(kFirstOrdered, decision.in_order);
    if (rest <= 2 * next) {
        std::sort(begin, decision.ranked.end(), better);
        decision.in_order += rest;
        return;
    }
    std::partial_sort(
        begin, begin + static_cast<std::ptrdiff_t>(next), decision.ranked.end(), better
    );
    decision.in_order += next;
}

void rank(Decision& decision, const PlacementPolicy& policy, std::uint64_t chance) {
    Rng lots(chance);
    for (Candidate& candidate : decision.ranked) {
        const auto [first, second, third] = strategy_key(policy.strategy, candidate, lots);
        candidate.rank = {
            class_key(candidate), ascending(candidate.spread_load), first, second, third
        };
    }
    order_more(decision);
    if (policy.strategy == Strategy::power_of_two) {
        prefer_less_loaded_of_two(decision.ranked);
    }
}

}  // namespace orch::control::placement
