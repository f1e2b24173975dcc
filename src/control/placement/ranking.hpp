#pragma once

#include "control/placement/decision.hpp"
#include "control/placement/strategy.hpp"

#include <bit>
#include <cstdint>

namespace orch::control::placement {

// Affinities as they are compared, less is better: the bits of a number that is not negative are in
// the order of the numbers. Two of the 64 give way to the class, far below what tells two pools
// apart.
constexpr std::uint64_t affinity_key(double affinity) {
    return ~std::bit_cast<std::uint64_t>(affinity) >> 2U;
}

// Gives each candidate its rank and puts the first ones in order: those that meet pin and
// preference, then those that are not suspect, then by the session's affinity (`auto` only), by the
// load of their value of spread_by, by the strategy. `chance` is the seed of the lots; strategies
// without chance do not look at it.
void rank(Decision& decision, const PlacementPolicy& policy, std::uint64_t chance);

}  // namespace orch::control::placement
