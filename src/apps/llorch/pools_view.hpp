#pragma once

#include "api/node_views.hpp"
#include "apps/llorch/table.hpp"

#include <cstdint>
#include <string>

namespace orch::llorch {

// What `llorch pools` prints: a row per pool, in the server's order, and under a pool that does
// not serve, or not with all its replicas, why: state, load progress, last error with the engine's
// last log lines, and where its log is. `now_ms` is the Unix time, for ages. Pure.
std::string pools_text(const api::PoolList& list, std::int64_t now_ms, const TextStyle& style);

}  // namespace orch::llorch
