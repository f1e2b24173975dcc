#pragma once

#include <cstdint>
#include <optional>

namespace orch::node::lifecycle {

// Slots of an adopted engine that still work for requests of the daemon that ended: nobody adds to
// them, so they only become fewer. Counted from what the engine says is busy and what is leased
// here. A lease is taken a moment before its slot is busy and may hide one of the others: a smaller
// count that depends on leases is believed when the next look says it too. Pure.
class InheritedSlots {
public:
    // How many there are, after a look that found `busy` slots while `leased` were leased.
    std::uint32_t look(std::uint32_t busy, std::uint32_t leased);

    // Whether the last one was seen to end. Not before the first look.
    bool none_left() const { return count_ == std::uint32_t{0}; }

private:
    std::optional<std::uint32_t> count_;
    std::optional<std::uint32_t> seen_;  // at the look before
};

}  // namespace orch::node::lifecycle
