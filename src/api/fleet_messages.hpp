#pragma once

#include "api/codec.hpp"
#include "api/node_views.hpp"
#include "base/result.hpp"

#include <boost/describe/class.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// What operators and monitoring say and hear about the fleet beyond its list of nodes.
namespace orch::api {

// POST /v2/nodes/static: a node that does not register is polled at this URL.
struct StaticNodeRequest {
    std::string url;  // http(s)://host[:port]
};

// POST /v2/nodes/{id}/drain; the body may be left out.
struct DrainRequest {
    std::uint64_t deadline_ms = 0;  // how long to wait for the node's work to end; an hour at most
};

// POST .../pools/{pool}/drain; the body may be left out.
struct PoolDrainRequest {
    std::uint64_t deadline_ms = 60'000;  // then its engines end, idle or not; an hour at most
};

// POST .../pools/{pool}/reload.
struct PoolReloadRequest {
    std::string new_model_ref;  // as `model` of a pool: a file, or a name of the store
    // For the pool's work to end, an hour at most; if it does not, nothing is changed.
    std::uint64_t drain_deadline_ms = 60'000;
};

struct PoolHealthMetrics {
    std::uint64_t queue_depth = 0;  // requests that wait for a name this pool serves
    std::uint32_t claimed = 0;      // slots this control plane holds now
    std::uint32_t active_leases = 0;
    std::uint32_t slots_total = 0;
    std::uint32_t slots_free = 0;
    Bytes vram_free_bytes = 0;
};

// GET /v2/nodes/{node}/pools/{pool}/health, as of the last report. Of a node that is not Online
// nothing is live or ready.
struct PoolHealth {
    NodeId node_id;
    PoolId pool_id;
    bool live = false;  // an engine process runs, or the watched engine answers
    bool ready = false;
    bool draining = false;
    PoolHealthMetrics metrics;
    std::optional<std::string> last_error;
};

// `online`: whether the pool's node is.
PoolHealth make_pool_health(const PoolInfo& pool, bool online, std::uint64_t queue_depth);

template <>
Result<StaticNodeRequest> from_json(std::string_view text);
template <>
Result<DrainRequest> from_json(std::string_view text);
template <>
Result<PoolDrainRequest> from_json(std::string_view text);
template <>
Result<PoolReloadRequest> from_json(std::string_view text);
std::string to_json(const StaticNodeRequest& message);
std::string to_json(const DrainRequest& message);
std::string to_json(const PoolDrainRequest& message);
std::string to_json(const PoolReloadRequest& message);
std::string to_json(const PoolHealth& message);

// Whether work of the node still runs: slots that are claimed here or leased there.
std::uint64_t work_in_progress(const NodeInfo& node);

BOOST_DESCRIBE_STRUCT(StaticNodeRequest, (), (url))
BOOST_DESCRIBE_STRUCT(DrainRequest, (), (deadline_ms))
BOOST_DESCRIBE_STRUCT(PoolDrainRequest, (), (deadline_ms))
BOOST_DESCRIBE_STRUCT(PoolReloadRequest, (), (new_model_ref, drain_deadline_ms))
BOOST_DESCRIBE_STRUCT(
    PoolHealthMetrics,
    (),
    (queue_depth, claimed, active_leases, slots_total, slots_free, vram_free_bytes)
)
BOOST_DESCRIBE_STRUCT(
    PoolHealth, (), (node_id, pool_id, live, ready, draining, metrics, last_error)
)

}  // namespace orch::api
