#include "api/node_messages.hpp"

#include "api/checks.hpp"

#include <cmath>

namespace orch::api {
namespace {

namespace bj = json::bj;

// A real node has a handful of each.
constexpr std::size_t kMaxPools = 256;
constexpr std::size_t kMaxReplicas = 64;
constexpr std::size_t kMaxGpus = 128;
constexpr std::size_t kMaxModels = 4096;
constexpr std::size_t kMaxNames = 64;   // served name and aliases of one pool
constexpr std::size_t kMaxName = 256;   // bytes of a name, version, mask ...
constexpr std::size_t kMaxText = 4096;  // bytes of an error text or a path
constexpr std::uint32_t kMaxSlots = 65536;

void check_optional(
    Checks& checks,
    const std::optional<std::string>& text,
    const std::string& path,
    std::size_t max_length = kMaxName
) {
    if (text) {
        checks.text(*text, max_length, path);
    }
}

void check_models(Checks& checks, const std::vector<ModelReport>& models) {
    checks.count(models.size(), kMaxModels, "models");
    for (std::size_t i = 0; i < models.size() && checks.ok(); ++i) {
        checks.require(!models[i].id.empty(), fmt::format("models[{}].id", i), "not empty");
        checks.text(models[i].id, kMaxName, fmt::format("models[{}].id", i));
    }
}

void check_replica(Checks& checks, const ReplicaReport& replica, const std::string& path) {
    checks.id(replica.replica_id.str(), path + ".replica_id");
    checks.text(replica.state, kMaxName, path + ".state");
    check_optional(checks, replica.last_error, path + ".last_error", kMaxText);
    check_optional(checks, replica.log_path, path + ".log_path", kMaxText);
    const double progress = replica.load_progress.value_or(0);
    checks.require(progress >= 0 && progress <= 1, path + ".load_progress", "from 0 to 1");
}

void check_slots(Checks& checks, const PoolReport& pool, const std::string& path) {
    checks.require(pool.slots_total <= kMaxSlots, path + ".slots_total", "at most 65536");
    checks.require(
        pool.slots_free <= pool.slots_total, path + ".slots_free", "at most slots_total"
    );
    checks.require(
        pool.active_leases.value_or(0) <= kMaxSlots, path + ".active_leases", "at most 65536"
    );
}

void check_names(Checks& checks, const PoolReport& pool, const std::string& path) {
    check_optional(checks, pool.served_name, path + ".served_name");
    checks.count(pool.models_available.size(), kMaxNames, path + ".models_available");
    for (const std::string& model : pool.models_available) {
        checks.require(!model.empty(), path + ".models_available", "a list of names");
        checks.text(model, kMaxName, path + ".models_available");
    }
}

void check_pool(Checks& checks, const PoolReport& pool, const std::string& path) {
    checks.id(pool.pool_id.str(), path + ".pool_id");
    check_slots(checks, pool, path);
    check_names(checks, pool, path);
    check_optional(checks, pool.engine, path + ".engine");
    check_optional(checks, pool.engine_version, path + ".engine_version");
    check_optional(checks, pool.device_mask, path + ".device_mask");
    check_optional(checks, pool.last_error, path + ".last_error", kMaxText);
    checks.labels(pool.labels, path + ".labels");
    checks.count(pool.replicas.size(), kMaxReplicas, path + ".replicas");
    for (std::size_t i = 0; i < pool.replicas.size() && checks.ok(); ++i) {
        check_replica(checks, pool.replicas[i], fmt::format("{}.replicas[{}]", path, i));
    }
}

void check_pools(Checks& checks, const std::vector<PoolReport>& pools) {
    checks.count(pools.size(), kMaxPools, "pools");
    std::map<PoolId, std::size_t> seen;
    for (std::size_t i = 0; i < pools.size() && checks.ok(); ++i) {
        const std::string path = fmt::format("pools[{}]", i);
        check_pool(checks, pools[i], path);
        checks.require(
            seen.emplace(pools[i].pool_id, i).second, path + ".pool_id", "different for each pool"
        );
    }
}

void check_gpus(Checks& checks, const std::vector<GpuReport>& gpus) {
    checks.count(gpus.size(), kMaxGpus, "gpus");
    for (std::size_t i = 0; i < gpus.size() && checks.ok(); ++i) {
        const bool sane = std::isfinite(gpus[i].utilization) && gpus[i].utilization >= 0;
        checks.require(sane, fmt::format("gpus[{}].utilization", i), "zero or more");
    }
}

void check_capabilities(Checks& checks, const NodeCapabilities& capabilities) {
    checks.count(capabilities.gpus.size(), kMaxGpus, "capabilities.gpus");
    for (const GpuInfo& gpu : capabilities.gpus) {
        checks.text(gpu.name, kMaxName, "capabilities.gpus.name");
        checks.text(gpu.compute_capability, kMaxName, "capabilities.gpus.compute_capability");
    }
}

// RegisterRequest and NodeStatusBody say these in the same words.
template <class Message>
void check_identity(Checks& checks, const Message& message) {
    checks.id(message.node_id.str(), "node_id");
    checks.id(message.machine_id.str(), "machine_id");
    check_capabilities(checks, message.capabilities);
    check_optional(checks, message.version, "version");
    check_optional(checks, message.api_version, "api_version");
    check_optional(checks, message.boot_id, "boot_id");
    checks.labels(message.labels, "labels");
    check_models(checks, message.models);
}

const bj::array* pools_of(const bj::value& tree) {
    const bj::value* const pools =
        tree.is_object() ? tree.get_object().if_contains("pools") : nullptr;
    return pools != nullptr && pools->is_array() ? &pools->get_array() : nullptr;
}

Result<void> require_pool_keys(const bj::value& tree) {
    const bj::array* const pools = pools_of(tree);
    for (std::size_t i = 0; pools != nullptr && i < pools->size(); ++i) {
        const std::string path = fmt::format("pools[{}]", i);
        if (auto all = require_keys((*pools)[i], path, {"pool_id", "ready", "slots_free"}); !all) {
            return all;
        }
    }
    return {};
}

bool says(const bj::value& object, std::string_view key) {
    const bj::value* const found =
        object.is_object() ? object.get_object().if_contains(key) : nullptr;
    return found != nullptr && !found->is_null();
}

// The tree and the message hold the same pools in the same order.
void default_slots_total(const bj::value& tree, std::vector<PoolReport>& pools) {
    const bj::array* const trees = pools_of(tree);
    for (std::size_t i = 0; trees != nullptr && i < pools.size(); ++i) {
        if (!says((*trees)[i], "slots_total")) {
            pools[i].slots_total = pools[i].slots_free;
        }
    }
}

template <class Message>
Result<Message> checked(Message message) {
    if (auto valid = validate(message); !valid) {
        return std::unexpected(valid.error());
    }
    return message;
}

// A message with pool reports: which keys it needs, and slots_total where a node left it out.
template <class Message>
Result<Message> read_reporting(
    std::string_view text, std::initializer_list<std::string_view> required
) {
    const auto check_tree = [&](const bj::value& tree) {
        auto complete = require_keys(tree, "", required);
        return complete ? require_pool_keys(tree) : complete;
    };
    const auto finish = [](const bj::value& tree, Message& message) {
        default_slots_total(tree, message.pools);
    };
    auto message = read_message<Message>(text, check_tree, finish);
    if (!message) {
        return message;
    }
    return checked(std::move(*message));
}

template <class Message>
std::string write_message(const Message& message) {
    return json::serialize(json::write(message, json::Nulls::leave_out));
}

}  // namespace

RegisterRequest register_part(const NodeStatusBody& body) {
    RegisterRequest message;
    message.node_id = body.node_id;
    message.machine_id = body.machine_id;
    message.address = body.address;
    message.capabilities = body.capabilities;
    message.version = body.version;
    message.api_version = body.api_version;
    message.boot_id = body.boot_id;
    message.models = body.models;
    message.labels = body.labels;
    for (const PoolReport& pool : body.pools) {
        message.pools.push_back(pool.pool_id);
    }
    return message;
}

HeartbeatRequest heartbeat_part(const NodeStatusBody& body) {
    HeartbeatRequest message;
    message.timestamp = body.timestamp;
    message.pools = body.pools;
    message.seq = body.seq;
    message.boot_id = body.boot_id;
    message.models = body.models;
    message.gpus = body.gpus;
    message.disk_free_bytes = body.disk_free_bytes;
    return message;
}

NodeStatusBody make_node_status(const RegisterRequest& node, const HeartbeatRequest& beat) {
    NodeStatusBody body;
    body.node_id = node.node_id;
    body.machine_id = node.machine_id;
    body.address = node.address;
    body.capabilities = node.capabilities;
    body.version = node.version;
    body.api_version = node.api_version;
    body.boot_id = node.boot_id;
    body.labels = node.labels;
    body.timestamp = beat.timestamp;
    body.seq = beat.seq;
    body.pools = beat.pools;
    body.models = beat.models.value_or(node.models);
    body.gpus = beat.gpus.value_or(std::vector<GpuReport>{});
    body.disk_free_bytes = beat.disk_free_bytes;
    return body;
}

Result<void> validate(const RegisterRequest& message) {
    Checks checks;
    check_identity(checks, message);
    checks.base_url(message.address, "address");
    checks.count(message.pools.size(), kMaxPools, "pools");
    for (std::size_t i = 0; i < message.pools.size() && checks.ok(); ++i) {
        checks.id(message.pools[i].str(), fmt::format("pools[{}]", i));
    }
    return checks.result();
}

Result<void> validate(const HeartbeatRequest& message) {
    Checks checks;
    checks.text(message.timestamp, kMaxName, "timestamp");
    check_optional(checks, message.boot_id, "boot_id");
    check_pools(checks, message.pools);
    check_models(checks, message.models.value_or(std::vector<ModelReport>{}));
    check_gpus(checks, message.gpus.value_or(std::vector<GpuReport>{}));
    return checks.result();
}

Result<void> validate(const NodeStatusBody& message) {
    Checks checks;
    check_identity(checks, message);
    if (!message.address.empty()) {
        checks.base_url(message.address, "address");
    }
    checks.text(message.timestamp, kMaxName, "timestamp");
    check_pools(checks, message.pools);
    check_gpus(checks, message.gpus);
    return checks.result();
}

template <>
Result<RegisterRequest> from_json(std::string_view text) {
    auto message = read_message<RegisterRequest>(text, [](const bj::value& tree) {
        return require_keys(tree, "", {"node_id", "machine_id", "address"});
    });
    return message ? checked(std::move(*message)) : message;
}

template <>
Result<RegisterResponse> from_json(std::string_view text) {
    return read_message<RegisterResponse>(text, [](const bj::value& tree) {
        return require_keys(tree, "", {"success"});
    });
}

template <>
Result<HeartbeatRequest> from_json(std::string_view text) {
    return read_reporting<HeartbeatRequest>(text, {"timestamp"});
}

template <>
Result<HeartbeatResponse> from_json(std::string_view text) {
    return read_message<HeartbeatResponse>(text, [](const bj::value& tree) {
        return require_keys(tree, "", {"success"});
    });
}

template <>
Result<NodeStatusBody> from_json(std::string_view text) {
    return read_reporting<NodeStatusBody>(text, {"node_id", "machine_id"});
}

std::string to_json(const RegisterRequest& message) {
    return write_message(message);
}

std::string to_json(const RegisterResponse& message) {
    return write_message(message);
}

std::string to_json(const HeartbeatRequest& message) {
    return write_message(message);
}

std::string to_json(const HeartbeatResponse& message) {
    return write_message(message);
}

std::string to_json(const NodeStatusBody& message) {
    return write_message(message);
}

}  // namespace orch::api
