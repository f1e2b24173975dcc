#pragma once

#include "api/codec.hpp"
#include "api/node_messages.hpp"

#include <boost/describe/class.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

// What both daemons answer about nodes and pools. Optional fields are written as null.
namespace orch::api {

// A pool as the control plane knows it: the node's last report, and what is claimed on top.
struct PoolInfo {
    NodeId node_id;
    PoolId pool_id;
    bool ready = false;
    bool draining = false;
    std::uint32_t slots_total = 0;
    std::uint32_t slots_free = 0;
    std::optional<std::uint32_t> active_leases;
    std::uint32_t claimed = 0;  // slots this control plane holds now
    std::optional<std::string> engine;
    std::optional<std::string> engine_version;
    std::optional<std::string> served_name;
    std::vector<std::string> models_available;
    ModelKind kind = ModelKind::chat;
    std::optional<std::uint32_t> ctx;
    std::optional<std::string> device_mask;
    std::optional<Bytes> vram_total_bytes;
    Bytes vram_free_bytes = 0;
    bool loadable = false;      // see PoolReport
    Bytes vram_need_bytes = 0;  // see PoolReport
    std::map<std::string, std::string> labels;
    std::vector<ReplicaReport> replicas;
    std::optional<std::string> last_error;
};

// One element of GET /v2/nodes.
struct NodeInfo {
    NodeId node_id;
    MachineId machine_id;
    std::string address;
    NodeStatus status = NodeStatus::registering;
    bool online = false;     // heard from within the node timeout
    bool reachable = false;  // its advertised address answered with this node_id
    std::optional<std::string> unreachable_reason;
    std::int64_t registered_at_ms = 0;
    std::optional<std::int64_t> last_heartbeat_ms;
    std::optional<std::int64_t> heartbeat_age_ms;
    NodeCapabilities capabilities;
    std::map<std::string, std::string> labels;
    std::optional<std::string> version;
    std::vector<PoolInfo> pools;
    std::vector<ModelReport> models;
    std::vector<GpuReport> gpus;
    std::optional<Bytes> disk_free_bytes;
};

struct NodeList {
    std::vector<NodeInfo> nodes;
    std::size_t count = 0;
};

struct PoolList {
    std::vector<PoolInfo> pools;
    std::size_t count = 0;
};

// A pool as its node knows it: GET /v2/pools/{id}/status.
struct PoolStatus {
    PoolId pool_id;
    bool live = false;  // an engine process runs, or the watched engine answers
    bool ready = false;
    bool draining = false;
    std::uint32_t slots_total = 0;
    std::uint32_t slots_free = 0;
    std::uint32_t active_leases = 0;
    std::optional<std::string> engine;
    std::optional<std::string> engine_version;
    std::optional<std::string> served_name;
    std::vector<std::string> models_available;
    ModelKind kind = ModelKind::chat;
    std::optional<std::uint32_t> ctx;
    std::optional<std::string> device_mask;
    std::optional<Bytes> vram_total_bytes;
    std::optional<Bytes> vram_free_bytes;
    bool loadable = false;      // see PoolReport
    Bytes vram_need_bytes = 0;  // see PoolReport
    std::vector<ReplicaReport> replicas;
    std::optional<std::string> last_error;
};

struct PoolStatusList {
    std::vector<PoolStatus> pools;
    std::size_t count = 0;
};

NodeList make_list(std::vector<NodeInfo> nodes);
PoolList make_list(std::vector<PoolInfo> pools);
PoolStatusList make_list(std::vector<PoolStatus> pools);

// Answers of our own daemons: an id is required, figures are taken as they come.
Result<void> validate(const NodeInfo& message);
Result<void> validate(const PoolInfo& message);
Result<void> validate(const PoolStatus& message);

template <>
Result<NodeInfo> from_json(std::string_view text);
template <>
Result<NodeList> from_json(std::string_view text);
template <>
Result<PoolInfo> from_json(std::string_view text);
template <>
Result<PoolList> from_json(std::string_view text);
template <>
Result<PoolStatus> from_json(std::string_view text);
template <>
Result<PoolStatusList> from_json(std::string_view text);

std::string to_json(const NodeInfo& message);
std::string to_json(const NodeList& message);
std::string to_json(const PoolInfo& message);
std::string to_json(const PoolList& message);
std::string to_json(const PoolStatus& message);
std::string to_json(const PoolStatusList& message);

BOOST_DESCRIBE_STRUCT(
    PoolInfo,
    (),
    (node_id,
     pool_id,
     ready,
     draining,
     slots_total,
     slots_free,
     active_leases,
     claimed,
     engine,
     engine_version,
     served_name,
     models_available,
     kind,
     ctx,
     device_mask,
     vram_total_bytes,
     vram_free_bytes,
     loadable,
     vram_need_bytes,
     labels,
     replicas,
     last_error)
)
BOOST_DESCRIBE_STRUCT(
    NodeInfo,
    (),
    (node_id,
     machine_id,
     address,
     status,
     online,
     reachable,
     unreachable_reason,
     registered_at_ms,
     last_heartbeat_ms,
     heartbeat_age_ms,
     capabilities,
     labels,
     version,
     pools,
     models,
     gpus,
     disk_free_bytes)
)
BOOST_DESCRIBE_STRUCT(NodeList, (), (nodes, count))
BOOST_DESCRIBE_STRUCT(PoolList, (), (pools, count))
BOOST_DESCRIBE_STRUCT(
    PoolStatus,
    (),
    (pool_id,
     live,
     ready,
     draining,
     slots_total,
     slots_free,
     active_leases,
     engine,
     engine_version,
     served_name,
     models_available,
     kind,
     ctx,
     device_mask,
     vram_total_bytes,
     vram_free_bytes,
     loadable,
     vram_need_bytes,
     replicas,
     last_error)
)
BOOST_DESCRIBE_STRUCT(PoolStatusList, (), (pools, count))

}  // namespace orch::api
