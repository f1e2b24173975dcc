#include "node/lifecycle/pool_report.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

namespace orch::node::lifecycle {
namespace {

std::optional<std::string> if_said(std::string text) {
    return text.empty() ? std::nullopt : std::optional(std::move(text));
}

std::vector<std::string> models_of(const PoolSpec& spec) {
    std::vector<std::string> names{spec.served_name.str()};
    names.insert(names.end(), spec.aliases.begin(), spec.aliases.end());
    return names;
}

std::optional<std::string> device_mask(const PoolSpec& spec) {
    if (!spec.devices) {
        return std::nullopt;
    }
    return spec.devices->empty() ? "cpu" : fmt::format("{}", fmt::join(*spec.devices, ","));
}

api::ReplicaReport make_replica_report(const ReplicaView& replica) {
    return {
        .replica_id = replica.id,
        .state = std::string(to_string(replica.state)),
        .pid = replica.pid,
        .slots_total = replica.slots_total,
        .slots_free = replica.serves() ? replica.slots_free() : 0,
        .since_ms = unix_ms(replica.since),
        .last_error = if_said(replica.last_error),
        .log_path = if_said(replica.log_path),
        .load_progress = replica.load_progress
    };
}

// The fields that both messages have, under the same names.
template <class Message>
Message describe(const PoolView& pool) {
    const PoolSpec& spec = *pool.spec;
    Message message;
    message.pool_id = spec.id;
    message.ready = pool.ready();
    message.draining = pool.draining;
    message.slots_total = pool.slots_total();
    message.slots_free = pool.slots_free();
    message.active_leases = pool.active_leases();
    message.engine = std::string(to_string(spec.engine));
    message.served_name = spec.served_name.str();
    message.models_available = models_of(spec);
    message.kind = spec.kind;
    message.ctx = spec.ctx;
    message.device_mask = device_mask(spec);
    message.loadable = pool.loadable();
    message.vram_need_bytes = pool.vram_need();
    message.last_error = if_said(pool.last_error());
    for (const ReplicaView& replica : pool.replicas) {
        message.replicas.push_back(make_replica_report(replica));
        if (replica.serves()) {
            message.engine_version = if_said(replica.engine_version);
            message.ctx = replica.ctx ? replica.ctx : message.ctx;
        }
    }
    return message;
}

}  // namespace

api::PoolReport make_pool_report(const PoolView& pool, PoolMemory memory) {
    auto report = describe<api::PoolReport>(pool);
    report.vram_total_bytes = memory.vram_total;
    report.vram_free_bytes = memory.vram_free;
    report.labels = pool.spec->labels;
    return report;
}

api::PoolStatus make_pool_status(const PoolView& pool, PoolMemory memory) {
    auto status = describe<api::PoolStatus>(pool);
    status.live = pool.live();
    status.vram_total_bytes = memory.vram_total;
    status.vram_free_bytes = memory.vram_free;
    return status;
}

}  // namespace orch::node::lifecycle
