#pragma once

#include "control/placement/placement_request.hpp"
#include "control/view/node_block.hpp"

#include <cstdint>

namespace orch::control::placement {

// What speaks for and against one pool; cheap enough for every request.
struct Verdict {
    bool node_ok = false;   // Online, not draining, reachable
    bool pool_ok = false;   // ready and not draining
    bool avoided = false;   // in the avoid list
    bool pinned = true;     // meets the pins, or there are none
    bool preferred = true;  // meets the preference, or there is none
    bool excluded = false;  // asked already in this round

    bool ready() const { return node_ok && pool_ok; }

    bool wanted() const { return pinned && preferred; }

    bool feasible(bool fallback) const { return ready() && !avoided && (wanted() || fallback); }
};

Verdict judge(
    const view::NodeBlock& node, const view::PoolBlock& pool, const PlacementRequest& request
);

// How many pools passed what: from it follows why none was left.
struct Tally {
    std::uint32_t listed = 0;
    std::uint32_t ready = 0;
    std::uint32_t ready_unavoided = 0;
    std::uint32_t feasible_strictly = 0;  // pins and preference met

    void count(const Verdict& verdict);
    bool any_feasible(bool fallback) const;
};

}  // namespace orch::control::placement
