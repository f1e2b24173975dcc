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

    // What the session draws for a pool, by the pool's stable_hash(). Of two pools with as many
    // slots the higher lot has the higher affinity, if it is higher by kSurelyMore; of lots closer
    // together the rounding decides.
    std::uint64_t lot(std::uint64_t pool_hash) const;
    static double of_lot(std::uint64_t lot, std::uint32_t slots_total);

    // 64 of the 2^53 steps of fraction(): at its least, the logarithm moves by as many halves of
    // its last digit.
    static constexpr std::uint64_t kSurelyMore = 64U << 11U;

private:
    std::uint64_t session_;
};

}  // namespace orch::control::placement
