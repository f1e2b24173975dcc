#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/strong_id.hpp"
#include "control/view/node_block.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace orch::control::placement {

// A pool that may serve the request, with the figures it was ranked by.
struct Candidate {
    const view::NodeBlock* node = nullptr;
    const view::PoolBlock* pool = nullptr;
    bool wanted = true;  // meets the pin and the preference; false only with fallback
    bool suspect = false;
    std::uint32_t busy = 0;
    std::uint32_t slots_total = 0;
    std::uint64_t free_gib = 0;
    std::uint64_t last_chosen = 0;
};

// One pool that was looked at, for previews and error details.
struct Considered {
    PoolKey key;
    bool feasible = false;
    std::vector<std::string> reasons;  // why not, or what it was ranked by
    double load = 0;                   // busy slots of all slots, 0 to 1
    Bytes vram_free = 0;
};

// Exactly one of: candidates, a rejection, or neither, when every pool that fits is in
// request.exclude (the request must wait for the next round).
struct Decision {
    std::vector<Candidate> ranked;       // best first
    std::optional<Error> rejection;      // model_not_found, model_not_available, node_unavailable,
                                         // pool_unready or pool_unavailable
    std::vector<Considered> considered;  // only when explained; feasible ones first, as ranked

    bool all_excluded() const { return ranked.empty() && !rejection; }
};

}  // namespace orch::control::placement
