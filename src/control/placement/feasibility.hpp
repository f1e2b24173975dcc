#pragma once

#include "control/placement/placement_request.hpp"
#include "control/view/node_block.hpp"

#include <cstdint>

namespace orch::control::placement {

// What a pool must pass, in the order in which reasons are told.
enum class Filter : std::uint8_t {
    node,         // its node is Online, not draining, reachable
    pool,         // it is ready and not draining
    engine,       // it runs the engine
    ctx,          // its slots hold enough tokens
    vram,         // it is loaded, or there is room to load it
    device_mask,  // it runs on these devices
    labels,       // it or its node carries the labels
    avoid,        // it is not in the avoid list
    pin,          // it meets the pins
    prefer,       // it is preferred
    exclude,      // it was not asked in this round and did not fail
};

// A few filters at once.
class Filters {
public:
    constexpr Filters() = default;

    template <class... F>
    explicit constexpr Filters(F... filters)
        : bits_(static_cast<std::uint16_t>((bit(filters) | ... | 0))) {}

    static constexpr Filters all() { return from(0xffff); }

    constexpr bool has(Filter filter) const { return (bits_ & bit(filter)) != 0; }

    constexpr bool empty() const { return bits_ == 0; }

    constexpr void add(Filter filter, bool holds) {
        bits_ = static_cast<std::uint16_t>(bits_ | (holds ? bit(filter) : 0));
    }

    constexpr Filters without(Filters other) const { return from(bits_ & ~other.bits_); }

    constexpr Filters common(Filters other) const { return from(bits_ & other.bits_); }

private:
    static constexpr int bit(Filter filter) { return 1 << static_cast<int>(filter); }

    static constexpr Filters from(int bits) {
        Filters filters;
        filters.bits_ = static_cast<std::uint16_t>(bits);
        return filters;
    }

    std::uint16_t bits_ = 0;
};

// The filters that one pool fails; cheap enough for every request.
struct Verdict {
    Filters failed;

    // Meets the pins and the preference, or there are none.
    bool wanted() const { return failed.common(Filters(Filter::pin, Filter::prefer)).empty(); }

    bool excluded() const { return failed.has(Filter::exclude); }

    // May serve the request, now or in the next round.
    bool feasible(bool fallback) const;
};

// Lists the model; without one, is of the kind.
bool serves(const view::PoolBlock& pool, const PlacementRequest& request);

// Requires: the pool serves the model.
Verdict judge(
    const view::NodeBlock& node, const view::PoolBlock& pool, const PlacementRequest& request
);

// How many pools passed what: from it follows why none was left.
struct Tally {
    std::uint32_t listed = 0;             // serve the model, whatever else
    std::uint32_t suitable = 0;           // of these: meet the requirements, were they only ready
    std::uint32_t ready = 0;              // of these: ready
    std::uint32_t feasible = 0;           // of these: not avoided, pins and preference aside
    std::uint32_t feasible_strictly = 0;  // of these: pins and preference met
    Filters failed_by_all = Filters::all();

    void count(Verdict verdict);
    bool any_feasible(bool fallback) const;
};

}  // namespace orch::control::placement
