#pragma once

#include "base/strong_id.hpp"

#include <cstdint>
#include <string_view>

// Hashes that are the same on every machine and after every start, which std::hash does not
// promise. FNV-1a: http://www.isthe.com/chongo/tech/comp/fnv/. Not for secrets.
namespace orch::control::view {

std::uint64_t stable_hash(std::string_view text);
std::uint64_t stable_hash(const PoolKey& key);

}  // namespace orch::control::view
