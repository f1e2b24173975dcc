#pragma once

#include "api/node_messages.hpp"
#include "api/node_views.hpp"
#include "base/clock.hpp"
#include "node/app/node_config.hpp"
#include "node/enroll/node_status_source.hpp"
#include "node/inventory/gpu.hpp"
#include "node/lifecycle/pool_report.hpp"
#include "node/lifecycle/pools_view.hpp"
#include "node/models/model_store.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace orch::node::app {

// What the node says about itself, put together from what its rooms know. Control thread.
class NodeFacts final : public enroll::NodeStatusSource {
public:
    NodeFacts(const NodeConfig& config, const Clock& clock, std::string boot_id);

    void set_pools(std::shared_ptr<const lifecycle::PoolsView> pools) { pools_ = std::move(pools); }

    // The store outlives the facts, or is told off with nullptr.
    void set_models(const models::ModelStore* store) { models_ = store; }

    void set_gpus(std::vector<inventory::Gpu> gpus) { gpus_ = std::move(gpus); }

    api::RegisterRequest registration(std::string address) const override;
    api::HeartbeatRequest heartbeat(std::uint64_t seq) const override;

    std::vector<api::PoolStatus> pool_statuses() const;

    // Errors: not_found.
    Result<api::PoolStatus> pool_status(const PoolId& id) const;

    // Pools whose spec names the model, by id or by its file.
    std::vector<std::string> pools_with_model(const std::string& id, const std::string& path) const;

    const std::string& boot_id() const { return boot_id_; }

private:
    lifecycle::PoolMemory memory_of(const lifecycle::PoolView& pool) const;

    const NodeConfig& config_;
    const Clock& clock_;
    std::string boot_id_;
    std::uint32_t cpu_cores_ = 0;
    Bytes ram_total_ = 0;
    std::shared_ptr<const lifecycle::PoolsView> pools_;
    std::vector<inventory::Gpu> gpus_;
    const models::ModelStore* models_ = nullptr;
};

}  // namespace orch::node::app
