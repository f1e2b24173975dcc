#pragma once

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/strong_id.hpp"
#include "control/view/node_block.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace orch::control::placement {

// Waited for as long as it takes, and the queue allows.
inline constexpr Instant kWhileLoading = Instant::max();

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
    double affinity = 0;                  // to the request's session; 0 without one
    double spread_load = 0;               // of the pools with the same value of spread_by, 0 to 1
    std::array<std::uint64_t, 5> rank{};  // what the strategy makes of all that; less is better
};

// One pool, for previews and error details.
struct Considered {
    PoolKey key;
    bool feasible = false;             // may serve the request now
    std::vector<std::string> reasons;  // why not, or what it was ranked by
    double load = 0;                   // busy slots of all slots, 0 to 1
    Bytes vram_free = 0;
};

// Exactly one of: candidates, a rejection, or neither, when every pool that fits is in
// request.exclude (the request must wait for the next round).
struct Decision {
    std::vector<Candidate> ranked;   // best first, as far as `in_order` says
    std::size_t in_order = 0;        // the others follow in any order; all, when explained
    bool any_trusted = false;        // some of ranked is not suspect
    std::optional<Error> rejection;  // model_not_found, model_not_available, node_unavailable,
                                     // pool_unready or pool_unavailable
    // With a rejection: a pool that left may be back by then; kWhileLoading: one is being loaded,
    // or `to_load` is to be.
    std::optional<Instant> awaited_until{};
    // At rest: it would serve the request, and no other is on its way.
    const view::PoolBlock* to_load = nullptr;
    std::uint32_t looked_at = 0;         // pools that serve the model, in any state
    std::vector<Considered> considered;  // only when explained: feasible ones first, as ranked,
                                         // then those that serve the model, then others

    bool all_excluded() const { return ranked.empty() && !rejection; }

    // Nobody is sent to a suspect pool while there are others, not even if these are full.
    bool offers(const Candidate& candidate) const { return !candidate.suspect || !any_trusted; }
};

// Puts some more of decision.ranked in order. Most requests take the first: of thousands of
// candidates only as many are sorted as somebody looks at.
void order_more(Decision& decision);

// Offers the candidates in their order until `take` accepts one: that one, else nullptr.
// Those that decision.offers() does not are passed over.
template <class Take>
const Candidate* take_first(Decision& decision, Take take) {
    for (std::size_t i = 0; i < decision.ranked.size(); ++i) {
        if (i == decision.in_order) {
            order_more(decision);
        }
        if (decision.offers(decision.ranked[i]) && take(decision.ranked[i])) {
            return &decision.ranked[i];
        }
    }
    return nullptr;
}

}  // namespace orch::control::placement
