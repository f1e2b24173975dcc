#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace orch::control::placement {

// How the pools that may serve a request are put in order. Ids end every tie.
enum class Strategy {
    automatic,       // session, load, free VRAM in whole GiB, least recently chosen
    least_loaded,    // load
    most_free_vram,  // free VRAM in whole GiB, load, least recently chosen
    round_robin,     // least recently chosen
    random,          // by chance, all alike
    power_of_two,    // the less loaded of two by chance, then the others by chance
};

// Errors: invalid_params naming what is allowed; prefix-affinity, which cannot be asked for yet,
// with a sentence of its own.
Result<Strategy> strategy_from(std::string_view name);
std::string_view to_string(Strategy strategy);

// "auto", "least-loaded", ... in the order of the enumerators.
std::vector<std::string> strategy_names();

struct PlacementPolicy {
    Strategy strategy = Strategy::automatic;

    // A label (view::label_of()) over whose values a model's work is spread: pools of the value
    // with the least load come first. Empty: not spread.
    std::string spread_by{};

    // Requests wait so long for a pool that was ready, counted from when it was.
    Duration return_wait = std::chrono::seconds(30);

    // Of the strategies by chance. Each thread adds its own number.
    std::uint64_t seed = 0;
};

}  // namespace orch::control::placement
