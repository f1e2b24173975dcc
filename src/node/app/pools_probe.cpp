#include "node/app/pools_probe.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace orch::node::app {
namespace {

metrics::FamilySpec of_pool(const char* name, const char* help) {
    return {.name = name, .help = help, .labels = {"node_id", "pool_id"}};
}

metrics::FamilySpec of_device(const char* name, const char* help) {
    return {
        .name = name,
        .help = help,
        .labels = {"node_id", "engine", "engine_version", "pool_id", "replica_id", "device"},
    };
}

bool uses(const lifecycle::PoolView& pool, const inventory::Gpu& gpu) {
    return inventory::names(pool.spec->devices, gpu);
}

}  // namespace

PoolsProbe::PoolsProbe(metrics::Registry& registry, const NodeId& node)
    : registry_(registry),
      node_(node.str()),
      shard_(registry.add_shard()),
      slots_total_(shard_.gauge(of_pool(
          "pool_slots_total", "Slots of the pool's replicas that serve or finish their work."
      ))),
      slots_free_(
          shard_.gauge(of_pool("pool_slots_free", "Slots that a request could be given now."))
      ),
      ready_(shard_.gauge(of_pool("pool_ready", "1 while a replica of the pool serves, else 0."))),
      leases_(shard_.gauge(of_pool("active_leases", "Slots that requests hold now."))),
      vram_total_(shard_.gauge(of_pool(
          "pool_vram_total_bytes", "Memory of the GPUs that the pool may use; no GPU: no series."
      ))),
      vram_free_(shard_.gauge(
          of_pool("pool_vram_free_bytes", "What of it nobody uses now, other programs included.")
      )),
      gpu_utilization_(shard_.gauge(of_device(
          "gpu_utilization",
          "Percent of time in which the whole device was busy, once for each replica that may use "
          "it; no series where the driver does not say."
      ))),
      vram_used_(shard_.gauge(of_device(
          "vram_used_bytes",
          "Memory in use on the whole device, once for each replica that may use it."
      ))) {}

void PoolsProbe::set_pools(std::shared_ptr<const lifecycle::PoolsView> pools) {
    const std::lock_guard lock(mutex_);
    if (pools_) {
        for (const auto& pool : pools_->pools) {
            if (pools->find(pool->spec->id) == nullptr) {
                registry_.remove_series("pool_id", pool->spec->id.str());
            }
        }
    }
    pools_ = std::move(pools);
}

void PoolsProbe::set_gpus(std::vector<inventory::Gpu> gpus) {
    const std::lock_guard lock(mutex_);
    gpus_ = std::move(gpus);
}

void PoolsProbe::look() {
    const std::lock_guard lock(mutex_);
    if (pools_) {
        for (const auto& pool : pools_->pools) {
            show(*pool);
        }
    }
    show_gpus();
}

void PoolsProbe::show(const lifecycle::PoolView& pool) {
    const std::string& id = pool.spec->id.str();
    slots_total_.with({node_, id})->set(pool.slots_total());
    slots_free_.with({node_, id})->set(pool.slots_free());
    ready_.with({node_, id})->set(pool.ready() ? 1 : 0);
    leases_.with({node_, id})->set(pool.active_leases());
    const inventory::GpuMemory memory = inventory::memory_of(gpus_, pool.spec->devices);
    if (memory.total > 0) {
        vram_total_.with({node_, id})->set(static_cast<double>(memory.total));
        vram_free_.with({node_, id})->set(static_cast<double>(memory.free));
    }
}

// A device that no replica may use is shown with empty names. Engines and drivers come and go: the
// series are made anew each time.
void PoolsProbe::show_gpus() {
    gpu_utilization_.remove("node_id", node_);
    vram_used_.remove("node_id", node_);
    for (const inventory::Gpu& gpu : gpus_) {
        bool used = false;
        for (std::size_t i = 0; pools_ && i < pools_->pools.size(); ++i) {
            const lifecycle::PoolView& pool = *pools_->pools[i];
            for (const lifecycle::ReplicaView& replica : pool.replicas) {
                if (!replica.watched && uses(pool, gpu)) {
                    show_gpu(gpu, &pool, &replica);
                    used = true;
                }
            }
        }
        if (!used) {
            show_gpu(gpu, nullptr, nullptr);
        }
    }
}

void PoolsProbe::show_gpu(
    const inventory::Gpu& gpu,
    const lifecycle::PoolView* pool,
    const lifecycle::ReplicaView* replica
) {
    const std::string_view engine = pool == nullptr ? "" : to_string(pool->spec->engine);
    const std::string_view version =
        replica == nullptr ? std::string_view() : std::string_view(replica->engine_version);
    const std::string_view pool_id =
        pool == nullptr ? std::string_view() : std::string_view(pool->spec->id.str());
    const std::string_view replica_id =
        replica == nullptr ? std::string_view() : std::string_view(replica->id.str());
    const std::string device = std::to_string(gpu.index);
    if (gpu.utilization) {
        gpu_utilization_.with({node_, engine, version, pool_id, replica_id, device})
            ->set(*gpu.utilization * 100);
    }
    if (gpu.vram_total > 0) {
        vram_used_.with({node_, engine, version, pool_id, replica_id, device})
            ->set(static_cast<double>(gpu.vram_used));
    }
}

}  // namespace orch::node::app
