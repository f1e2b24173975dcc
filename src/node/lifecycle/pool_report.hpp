#pragma once

#include "api/node_messages.hpp"
#include "api/node_views.hpp"
#include "base/bytes.hpp"
#include "node/lifecycle/pools_view.hpp"

#include <optional>

// How pools are told to others. Pure.
namespace orch::node::lifecycle {

// Memory of the GPUs a pool may use; zero on a machine without any.
struct PoolMemory {
    Bytes vram_total = 0;
    Bytes vram_free = 0;
};

// For heartbeats.
api::PoolReport make_pool_report(const PoolView& pool, PoolMemory memory);

// For the node's own API.
api::PoolStatus make_pool_status(const PoolView& pool, PoolMemory memory);

}  // namespace orch::node::lifecycle
