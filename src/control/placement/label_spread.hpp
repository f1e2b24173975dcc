#pragma once

#include "control/placement/decision.hpp"

#include <string>
#include <vector>

namespace orch::control::placement {

// Tells each candidate how loaded the pools are that share its value of `label`: busy slots of all
// their slots, over these candidates. Pools without the label share the value "".
void measure_spread(std::vector<Candidate>& candidates, const std::string& label);

}  // namespace orch::control::placement
