#pragma once

#include "control/placement/decision.hpp"
#include "control/placement/strategy.hpp"

#include <cstdint>

namespace orch::control::placement {

// Gives each candidate its rank and puts the first ones in order: those that meet pin and
// preference, then those that are not suspect, then by the session's affinity (`auto` only), by the
// load of their value of spread_by, by the strategy. `chance` is the seed of the lots; strategies
// without chance do not look at it.
void rank(Decision& decision, const PlacementPolicy& policy, std::uint64_t chance);

}  // namespace orch::control::placement
