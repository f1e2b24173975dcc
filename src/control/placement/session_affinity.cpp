#include "control/placement/session_affinity.hpp"

#include "control/view/stable_hash.hpp"

#include <cmath>

namespace orch::control::placement {
namespace {

// The finaliser of SplitMix64: FNV alone leaves the upper bits of similar ids alike.
std::uint64_t mix(std::uint64_t value) {
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
    value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
    return value ^ (value >> 31);
}

// Strictly between 0 and 1.
double fraction(std::uint64_t value) {
    constexpr double kSteps = 9007199254740992.0;  // 2^53: what a double holds exactly
    return (static_cast<double>(value >> 11) + 0.5) / kSteps;
}

}  // namespace

SessionAffinity::SessionAffinity(std::string_view session)
    : session_(mix(view::stable_hash(session))) {}

double SessionAffinity::of(const PoolKey& key, std::uint32_t slots_total) const {
    return of_lot(lot(view::stable_hash(key)), slots_total);
}

std::uint64_t SessionAffinity::lot(std::uint64_t pool_hash) const {
    return mix(session_ ^ pool_hash);
}

double SessionAffinity::of_lot(std::uint64_t lot, std::uint32_t slots_total) {
    return -static_cast<double>(slots_total) / std::log(fraction(lot));
}

}  // namespace orch::control::placement
