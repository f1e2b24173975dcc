#include "control/registry/node_record.hpp"

#include <algorithm>

namespace orch::control::registry {
namespace {

// Earlier nodes put free text here; what we do not know is spoken to in OpenAI's dialect.
EngineFamily family_of(const api::PoolReport& report) {
    if (!report.engine) {
        return EngineFamily::llamacpp;
    }
    return engine_family_from(*report.engine).value_or(EngineFamily::openai);
}

std::vector<std::string> names_of(const api::PoolReport& report) {
    std::vector<std::string> names = report.models_available;
    if (report.served_name && std::ranges::find(names, *report.served_name) == names.end()) {
        names.insert(names.begin(), *report.served_name);
    }
    return names;
}

std::string served_name_of(const api::PoolReport& report) {
    if (report.served_name) {
        return *report.served_name;
    }
    return report.models_available.empty() ? "" : report.models_available.front();
}

// Somebody is at work on it: of an engine that is not ours, nobody says.
bool may_return(const PoolRecord& pool) {
    const auto& replicas = pool.report.replicas;
    const auto at_work = [](const api::ReplicaReport& replica) {
        return replica.state != api::kReplicaBroken && replica.state != api::kReplicaStopped;
    };
    return !pool.report.draining && (replicas.empty() || std::ranges::any_of(replicas, at_work));
}

bool is_loading(const api::PoolReport& report) {
    return !report.ready && !report.draining &&
           std::ranges::any_of(report.replicas, [](const api::ReplicaReport& replica) {
               return replica.state == api::kReplicaStarting ||
                      replica.state == api::kReplicaLoading;
           });
}

std::string first_line(const std::string& text) {
    return text.substr(0, text.find('\n'));
}

view::PoolBlock make_block(const NodeId& node, const PoolRecord& pool) {
    const api::PoolReport& report = pool.report;
    view::PoolBlock block;
    block.key = {node, report.pool_id};
    block.served_name = served_name_of(report);
    block.models = names_of(report);
    block.engine = family_of(report);
    block.engine_version = report.engine_version.value_or("");
    block.kind = report.kind.value_or(ModelKind::chat);
    block.ready = report.ready;
    block.draining = report.draining;
    block.loadable = report.loadable && !report.ready && !report.draining;
    block.loading = is_loading(report);
    block.ctx = report.ctx.value_or(0);
    block.slots_total = report.slots_total;
    block.vram_free = report.vram_free_bytes;
    block.vram_total = report.vram_total_bytes.value_or(0);
    block.vram_need = block.loadable ? report.vram_need_bytes : 0;
    block.device_mask = report.device_mask.value_or("");
    block.labels = report.labels;
    block.cell = pool.cell;
    block.life = pool.life;
    block.left_at = may_return(pool) ? pool.left_at : std::nullopt;
    if (!report.ready) {
        block.last_error = first_line(report.last_error.value_or(""));
    }
    return block;
}

bool broken(const PoolRecord& pool) {
    const auto& replicas = pool.report.replicas;
    return !replicas.empty() && std::ranges::all_of(replicas, [](const api::ReplicaReport& r) {
        return r.state == api::kReplicaBroken;
    });
}

std::vector<api::PoolInfo> pool_infos(const NodeRecord& node) {
    std::vector<api::PoolInfo> infos;
    infos.reserve(node.pools.size());
    for (const auto& [id, pool] : node.pools) {
        infos.push_back(make_info(node.registration.node_id, pool));
    }
    return infos;
}

}  // namespace

bool NodeRecord::online() const {
    return status != NodeStatus::registering && status != NodeStatus::offline;
}

bool NodeRecord::crash_loops() const {
    return !pools.empty() &&
           std::ranges::all_of(pools, [](const auto& entry) { return broken(entry.second); });
}

std::uint32_t claimable_slots(const api::PoolReport& report, std::uint32_t own_claims) {
    const std::uint64_t in_use = report.active_leases.value_or(own_claims);
    const std::uint64_t slots = report.slots_free + in_use;
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(slots, report.slots_total));
}

void update(api::PoolReport& report, const api::PoolStatus& status) {
    report.ready = status.ready;
    report.draining = status.draining;
    if (status.slots_total > 0) {
        report.slots_total = status.slots_total;
        report.slots_free = std::min(status.slots_free, status.slots_total);
    }
    if (!status.replicas.empty()) {
        report.replicas = status.replicas;
        report.loadable = status.loadable;
        report.vram_need_bytes = status.vram_need_bytes;
        report.last_error = status.last_error;
    }
}

bool takes_work(const api::PoolReport& report) {
    return report.ready && !report.draining;
}

view::NodeBlockPtr make_block(const NodeRecord& node) {
    auto block = std::make_shared<view::NodeBlock>();
    block->id = node.registration.node_id;
    block->machine_id = node.registration.machine_id;
    block->endpoint = node.endpoint;
    block->status = node.status;
    block->online = node.online();
    block->reachable = node.reachable || node.tolerated;
    block->unreachable_reason = node.unreachable_reason;
    block->labels = node.registration.labels;
    for (const auto& [id, pool] : node.pools) {
        block->pools.push_back(make_block(block->id, pool));
    }
    return block;
}

api::NodeInfo make_info(const NodeRecord& node, Instant now) {
    api::NodeInfo info;
    info.node_id = node.registration.node_id;
    info.machine_id = node.registration.machine_id;
    info.address = node.registration.address;
    info.status = node.status;
    info.online = node.online();
    info.reachable = node.reachable;
    if (!node.reachable) {
        info.unreachable_reason = node.unreachable_reason;
    }
    info.registered_at_ms = unix_ms(node.registered_at);
    if (node.heard_at) {
        info.last_heartbeat_ms = unix_ms(*node.heard_wall);
        info.heartbeat_age_ms = to_ms(now - *node.heard_at);
    }
    info.capabilities = node.registration.capabilities;
    info.labels = node.registration.labels;
    info.version = node.registration.version;
    info.pools = pool_infos(node);
    info.models = node.models;
    info.gpus = node.gpus;
    info.disk_free_bytes = node.disk_free_bytes;
    return info;
}

api::PoolInfo make_info(const NodeId& node, const PoolRecord& pool) {
    const api::PoolReport& report = pool.report;
    api::PoolInfo info;
    info.node_id = node;
    info.pool_id = report.pool_id;
    info.ready = report.ready;
    info.draining = report.draining;
    info.slots_total = report.slots_total;
    info.slots_free = report.slots_free;
    info.active_leases = report.active_leases;
    info.claimed = pool.cell->claimed();
    info.engine = report.engine;
    info.engine_version = report.engine_version;
    info.served_name = report.served_name;
    info.models_available = report.models_available;
    info.kind = report.kind.value_or(ModelKind::chat);
    info.ctx = report.ctx;
    info.device_mask = report.device_mask;
    info.vram_total_bytes = report.vram_total_bytes;
    info.vram_free_bytes = report.vram_free_bytes;
    info.loadable = report.loadable;
    info.vram_need_bytes = report.vram_need_bytes;
    info.labels = report.labels;
    info.replicas = report.replicas;
    info.last_error = report.last_error;
    return info;
}

}  // namespace orch::control::registry
