#include "control/placement/session_affinity.hpp"

#include <cmath>

namespace orch::control::placement {
namespace {

// FNV-1a: the same on every machine, which std::hash does not promise.
constexpr std::uint64_t kFnvOffset = 0xcbf29ce484222325;
constexpr std::uint64_t kFnvPrime = 0x100000001b3;

std::uint64_t hash(std::uint64_t state, std::string_view text) {
    for (const char c : text) {
        state = (state ^ static_cast<unsigned char>(c)) * kFnvPrime;
    }
    return state;
}

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

SessionAffinity::SessionAffinity(std::string_view session) : session_(hash(kFnvOffset, session)) {}

double SessionAffinity::of(const PoolKey& key, std::uint32_t slots_total) const {
    const std::uint64_t place = hash(hash(kFnvOffset, key.node.str()) * kFnvPrime, key.pool.str());
    return -static_cast<double>(slots_total) / std::log(fraction(mix(mix(session_) ^ place)));
}

}  // namespace orch::control::placement
