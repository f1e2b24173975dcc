#pragma once

#include "base/log.hpp"
#include "control/gateway/edge_state.hpp"

namespace orch::control::gateway {

// One line at DEBUG per decision: where the request goes, or why nowhere, and what was said for and
// against the first pools that were considered. `explained`: the same look without a claim, just
// before. Requires: log.at(LogLevel::debug).
void log_decision(
    const Logger& log,
    const placement::PlacementRequest& request,
    const EdgeState::Choice& choice,
    const placement::Decision& explained
);

}  // namespace orch::control::gateway
