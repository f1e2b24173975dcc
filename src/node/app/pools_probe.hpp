#pragma once

#include "base/strong_id.hpp"
#include "metrics/registry.hpp"
#include "node/inventory/gpu.hpp"
#include "node/lifecycle/pools_view.hpp"

#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace orch::node::app {

// The levels of pools and GPUs. What they are is known when somebody looks: leases come and go
// without a word. Any thread.
class PoolsProbe {
public:
    PoolsProbe(metrics::Registry& registry, const NodeId& node);

    // What was found last; series of pools that are gone leave at once.
    void set_pools(std::shared_ptr<const lifecycle::PoolsView> pools);
    void set_gpus(std::vector<inventory::Gpu> gpus);

    // Sets the levels as they are now.
    void look();

private:
    void show(const lifecycle::PoolView& pool);
    void show_gpus();
    void show_gpu(
        const inventory::Gpu& gpu,
        const lifecycle::PoolView* pool,
        const lifecycle::ReplicaView* replica
    );

    metrics::Registry& registry_;
    std::string node_;
    metrics::Shard& shard_;
    metrics::Family<metrics::Gauge>& slots_total_;
    metrics::Family<metrics::Gauge>& slots_free_;
    metrics::Family<metrics::Gauge>& ready_;
    metrics::Family<metrics::Gauge>& leases_;
    metrics::Family<metrics::Gauge>& vram_total_;
    metrics::Family<metrics::Gauge>& vram_free_;
    metrics::Family<metrics::Gauge>& gpu_utilization_;
    metrics::Family<metrics::Gauge>& vram_used_;

    std::mutex mutex_;
    std::shared_ptr<const lifecycle::PoolsView> pools_;
    std::vector<inventory::Gpu> gpus_;
};

}  // namespace orch::node::app
