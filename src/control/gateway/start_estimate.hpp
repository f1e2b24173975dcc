#pragma once

#include "base/clock.hpp"
#include "control/placement/decision.hpp"

#include <cstddef>
#include <optional>
#include <span>

namespace orch::control::gateway {

// When a request with `ahead` others before it may expect a slot: each pool that fits frees one
// every (mean service time / slots), so together they free (ahead + 1) of them in
// (ahead + 1) / sum(slots / mean service time). The service times are measured, per pool, over the
// last answers that came to their end (LoadCell::mean_service); a pool without one counts as the
// average of the others. Nothing while no pool that fits has served anything. Pure.
std::optional<Duration> estimate_start(
    std::span<const placement::Candidate> fitting, std::size_t ahead
);

}  // namespace orch::control::gateway
