#pragma once

#include "base/strong_id.hpp"

#include <cstdint>
#include <string_view>

namespace orch::control::placement {

// Rendezvous hashing: of the pools that may serve a session's request, the one with the highest
// affinity is its home. Every thread and every control plane finds the same one, nobody has to
// remember it, and a pool that leaves or returns moves only the sessions it is home to. Over many
// sessions a pool's share is its share of the slots.
class SessionAffinity {
public:
    explicit SessionAffinity(std::string_view session);

    // Above 0; 0 for a pool without slots.
    double of(const PoolKey& key, std::uint32_t slots_total) const;

private:
    std::uint64_t session_;
};

}  // namespace orch::control::placement
