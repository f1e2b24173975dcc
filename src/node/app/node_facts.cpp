#include "node/app/node_facts.hpp"

#include "base/file.hpp"
#include "base/version.hpp"
#include "node/inventory/machine.hpp"

#include <utility>

namespace orch::node::app {

NodeFacts::NodeFacts(const NodeConfig& config, const Clock& clock, std::string boot_id)
    : config_(config),
      clock_(clock),
      boot_id_(std::move(boot_id)),
      pools_(std::make_shared<lifecycle::PoolsView>()) {
    if (const auto text = load_file("/proc/cpuinfo")) {
        cpu_cores_ = inventory::parse_cpuinfo(*text).value_or(0);
    }
    if (const auto text = load_file("/proc/meminfo")) {
        const auto memory = inventory::parse_meminfo(*text);
        ram_total_ = memory ? memory->total : 0;
    }
}

api::RegisterRequest NodeFacts::registration(std::string address) const {
    api::RegisterRequest message;
    message.node_id = config_.node_id;
    message.machine_id = config_.machine_id;
    message.address = std::move(address);
    for (const auto& pool : pools_->pools) {
        message.pools.push_back(pool->spec->id);
    }
    message.capabilities.gpus = inventory::make_gpu_infos(gpus_);
    if (cpu_cores_ > 0) {
        message.capabilities.cpu_cores = cpu_cores_;
    }
    if (ram_total_ > 0) {
        message.capabilities.ram_total_bytes = ram_total_;
    }
    message.version = std::string(program_version());
    message.api_version = std::string(api::kNodeApiVersion);
    message.boot_id = boot_id_;
    message.labels = config_.labels;
    if (models_ != nullptr) {
        message.models = models_->reports();
    }
    return message;
}

api::HeartbeatRequest NodeFacts::heartbeat(std::uint64_t seq) const {
    api::HeartbeatRequest message;
    message.timestamp = rfc3339(clock_.wall());
    for (const auto& pool : pools_->pools) {
        message.pools.push_back(make_pool_report(*pool, memory_of(*pool)));
    }
    message.seq = seq;
    message.boot_id = boot_id_;
    message.gpus = inventory::make_gpu_reports(gpus_);
    if (models_ != nullptr) {
        message.models = models_->reports();
        message.disk_free_bytes = models_->disk_free();
    }
    return message;
}

std::vector<std::string> NodeFacts::pools_with_model(const std::string& id, const std::string& path)
    const {
    std::vector<std::string> pools;
    for (const auto& pool : pools_->pools) {
        const std::string& model = pool->spec->model;
        if (model == id || model == id + ".gguf" || lifecycle::model_file(model) == path) {
            pools.push_back(pool->spec->id.str());
        }
    }
    return pools;
}

std::vector<api::PoolStatus> NodeFacts::pool_statuses() const {
    std::vector<api::PoolStatus> statuses;
    for (const auto& pool : pools_->pools) {
        statuses.push_back(make_pool_status(*pool, memory_of(*pool)));
    }
    return statuses;
}

Result<api::PoolStatus> NodeFacts::pool_status(const PoolId& id) const {
    const auto pool = pools_->find(id);
    if (pool == nullptr) {
        return fail(Errc::not_found, "pool " + id.str() + ": not on this node");
    }
    return make_pool_status(*pool, memory_of(*pool));
}

lifecycle::PoolMemory NodeFacts::memory_of(const lifecycle::PoolView& pool) const {
    const inventory::GpuMemory memory = inventory::memory_of(gpus_, pool.spec->devices);
    return {memory.total, memory.free};
}

}  // namespace orch::node::app
