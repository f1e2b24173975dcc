#pragma once

#include "api/codec.hpp"
#include "base/bytes.hpp"
#include "base/enums.hpp"
#include "base/result.hpp"
#include "base/strong_id.hpp"

#include <boost/describe/class.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

// What a node tells the control plane about itself. Field names are the wire's. A node of the
// earlier wire format sends only timestamp and, per pool, pool_id, ready and slots_free
// (slots_total and vram_free_bytes mostly): everything else has a default, or is optional where
// absence matters.
namespace orch::api {

// Version of these messages; "1.2" may be answered by a "1.3", never by a "2.0".
inline constexpr std::string_view kNodeApiVersion = "1.0";

struct GpuInfo {
    std::uint32_t device_id = 0;
    std::string name;
    Bytes vram_total_bytes = 0;
    std::string compute_capability;  // "8.6"; empty when unknown
};

struct NodeCapabilities {
    std::vector<GpuInfo> gpus;
    std::optional<std::uint32_t> cpu_cores;
    std::optional<Bytes> ram_total_bytes;
};

// A model file of the node's store.
struct ModelReport {
    std::string id;
    std::optional<std::string> digest;  // "sha256:..."
    Bytes bytes = 0;
    std::string state;  // the store's word: "ready", "staging", ...
};

struct RegisterRequest {
    NodeId node_id;
    MachineId machine_id;
    std::string address;        // base URL at which the node's API answers
    std::vector<PoolId> pools;  // ids only; their state comes with the first heartbeat
    NodeCapabilities capabilities;
    std::optional<std::string> version;
    std::optional<std::string> api_version;
    std::optional<std::string> boot_id;  // changes whenever the daemon starts
    std::vector<ModelReport> models;
    std::map<std::string, std::string> labels;
};

struct RegisterResponse {
    bool success = true;
    std::string message;
    NodeId node_id;
    std::optional<std::uint64_t> next_heartbeat_ms;  // absent from an earlier control plane
};

// A replica whose state is this has stopped being restarted: it crash-loops.
inline constexpr std::string_view kReplicaBroken = "broken";
// And this: it was told to end, and nobody starts it.
inline constexpr std::string_view kReplicaStopped = "stopped";
// And these: it is on its way to serve.
inline constexpr std::string_view kReplicaStarting = "starting";
inline constexpr std::string_view kReplicaLoading = "loading";

struct ReplicaReport {
    ReplicaId replica_id;
    std::string state;  // the engine machine's word; "ready" serves, "broken" gave up
    std::optional<std::int64_t> pid;
    std::uint32_t slots_total = 0;
    std::uint32_t slots_free = 0;
    std::int64_t since_ms = 0;  // Unix time at which the state was entered
    std::optional<std::string> last_error;
    std::optional<std::string> log_path;
    std::optional<double> load_progress;  // 0 to 1 while the model loads
};

struct PoolReport {
    PoolId pool_id;
    bool ready = false;
    bool draining = false;
    std::uint32_t slots_free = 0;
    std::uint32_t slots_total = 0;  // absent on the wire: slots_free
    Bytes vram_free_bytes = 0;
    std::optional<std::string> engine;  // family; free text from earlier nodes
    std::optional<std::string> served_name;
    std::vector<std::string> models_available;  // served name and aliases, ready or not
    std::optional<ModelKind> kind;              // absent: chat
    std::optional<std::uint32_t> ctx;           // tokens per slot
    std::optional<std::string> engine_version;
    std::optional<std::string> device_mask;  // "0,1"
    std::optional<Bytes> vram_total_bytes;
    bool loadable = false;      // at rest, and its node starts it when asked to
    Bytes vram_need_bytes = 0;  // what a start would take, estimated; 0 = nothing, or not known
    std::optional<std::uint32_t> active_leases;  // absent: the node does not lease
    std::vector<ReplicaReport> replicas;
    std::map<std::string, std::string> labels;
    std::optional<std::string> last_error;
};

struct GpuReport {
    std::uint32_t device_id = 0;
    Bytes vram_total_bytes = 0;
    Bytes vram_used_bytes = 0;
    double utilization = 0;  // 0 to 1
    std::optional<double> temperature_c;
};

struct HeartbeatRequest {
    std::string timestamp;             // RFC 3339, for people; never compared
    std::vector<PoolReport> pools;     // all of them: a pool that is not listed is gone
    std::optional<std::uint64_t> seq;  // grows within one boot_id
    std::optional<std::string> boot_id;
    std::optional<std::vector<ModelReport>> models;  // absent: as told before
    std::optional<std::vector<GpuReport>> gpus;      // absent: as told before
    std::optional<Bytes> disk_free_bytes;
};

struct HeartbeatResponse {
    bool success = true;
    std::uint64_t next_heartbeat_ms = 0;  // 0 = not said
};

// GET /v2/node: the register body and the heartbeat body in one; `pools` is the heartbeat's.
struct NodeStatusBody {
    NodeId node_id;
    MachineId machine_id;
    std::string address;  // empty: the node joined nobody, its address is the one that was asked
    NodeCapabilities capabilities;
    std::optional<std::string> version;
    std::optional<std::string> api_version;
    std::optional<std::string> boot_id;
    std::map<std::string, std::string> labels;
    std::string timestamp;
    std::optional<std::uint64_t> seq;
    std::vector<PoolReport> pools;
    std::vector<ModelReport> models;
    std::vector<GpuReport> gpus;
    std::optional<Bytes> disk_free_bytes;
};

RegisterRequest register_part(const NodeStatusBody& body);
HeartbeatRequest heartbeat_part(const NodeStatusBody& body);
NodeStatusBody make_node_status(const RegisterRequest& node, const HeartbeatRequest& beat);

// Limits of one message: pools, replicas, models, gpus, labels and name lengths a real node stays
// far below. Errors: invalid_params naming the path.
Result<void> validate(const RegisterRequest& message);
Result<void> validate(const HeartbeatRequest& message);
Result<void> validate(const NodeStatusBody& message);

template <>
Result<RegisterRequest> from_json(std::string_view text);
template <>
Result<RegisterResponse> from_json(std::string_view text);
template <>
Result<HeartbeatRequest> from_json(std::string_view text);
template <>
Result<HeartbeatResponse> from_json(std::string_view text);
template <>
Result<NodeStatusBody> from_json(std::string_view text);

std::string to_json(const RegisterRequest& message);
std::string to_json(const RegisterResponse& message);
std::string to_json(const HeartbeatRequest& message);
std::string to_json(const HeartbeatResponse& message);
std::string to_json(const NodeStatusBody& message);

BOOST_DESCRIBE_STRUCT(GpuInfo, (), (device_id, name, vram_total_bytes, compute_capability))
BOOST_DESCRIBE_STRUCT(NodeCapabilities, (), (gpus, cpu_cores, ram_total_bytes))
BOOST_DESCRIBE_STRUCT(ModelReport, (), (id, digest, bytes, state))
BOOST_DESCRIBE_STRUCT(
    RegisterRequest,
    (),
    (node_id,
     machine_id,
     address,
     pools,
     capabilities,
     version,
     api_version,
     boot_id,
     models,
     labels)
)
BOOST_DESCRIBE_STRUCT(RegisterResponse, (), (success, message, node_id, next_heartbeat_ms))
BOOST_DESCRIBE_STRUCT(
    ReplicaReport,
    (),
    (replica_id, state, pid, slots_total, slots_free, since_ms, last_error, log_path, load_progress)
)
BOOST_DESCRIBE_STRUCT(
    PoolReport,
    (),
    (pool_id,
     ready,
     draining,
     slots_free,
     slots_total,
     vram_free_bytes,
     engine,
     served_name,
     models_available,
     kind,
     ctx,
     engine_version,
     device_mask,
     vram_total_bytes,
     loadable,
     vram_need_bytes,
     active_leases,
     replicas,
     labels,
     last_error)
)
BOOST_DESCRIBE_STRUCT(
    GpuReport, (), (device_id, vram_total_bytes, vram_used_bytes, utilization, temperature_c)
)
BOOST_DESCRIBE_STRUCT(
    HeartbeatRequest, (), (timestamp, pools, seq, boot_id, models, gpus, disk_free_bytes)
)
BOOST_DESCRIBE_STRUCT(HeartbeatResponse, (), (success, next_heartbeat_ms))
BOOST_DESCRIBE_STRUCT(
    NodeStatusBody,
    (),
    (node_id,
     machine_id,
     address,
     capabilities,
     version,
     api_version,
     boot_id,
     labels,
     timestamp,
     seq,
     pools,
     models,
     gpus,
     disk_free_bytes)
)

}  // namespace orch::api
