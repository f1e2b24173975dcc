#include "control/view/stable_hash.hpp"

namespace orch::control::view {
namespace {

constexpr std::uint64_t kFnvOffset = 0xcbf29ce484222325;
constexpr std::uint64_t kFnvPrime = 0x100000001b3;

std::uint64_t hash(std::uint64_t state, std::string_view text) {
    for (const char c : text) {
        state = (state ^ static_cast<unsigned char>(c)) * kFnvPrime;
    }
    return state;
}

}  // namespace

std::uint64_t stable_hash(std::string_view text) {
    return hash(kFnvOffset, text);
}

std::uint64_t stable_hash(const PoolKey& key) {
    return hash(hash(kFnvOffset, key.node.str()) * kFnvPrime, key.pool.str());
}

}  // namespace orch::control::view
