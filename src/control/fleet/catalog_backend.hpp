#pragma once

#include "api/catalog_messages.hpp"
#include "api/operation.hpp"
#include "async/async_clock.hpp"
#include "async/task_group.hpp"
#include "base/log.hpp"
#include "base/rng.hpp"
#include "control/catalog/catalog_table.hpp"
#include "control/catalog/staging_planner.hpp"
#include "control/fleet/catalog_probe.hpp"
#include "control/fleet/node_client.hpp"
#include "control/fleet/registry_backend.hpp"
#include "control/view/retired_models.hpp"
#include "operations/operation_table.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace orch::control::fleet {

// The catalog at work: holds the entries, and drives nodes to stage and to verify models. Each
// node's part ends by itself; the operation ends with the last one and names each failure. Control
// thread.
class CatalogBackend {
public:
    struct Parts {
        async::AsyncClock& clock;
        async::TaskGroup& tasks;
        net::ClientPool& clients;
        RegistryBackend& registry;
        Rng& rng;
        CatalogProbe& probe;
    };

    // Hears which models are retired when that changes; also when a deadline passes.
    using OnRetired = std::function<void(const view::RetiredModelsPtr&)>;

    // What has to be written so that a change survives.
    struct Snapshot {
        std::string text;
        std::uint64_t version = 0;
    };

    CatalogBackend(Parts parts, const auth::OutboundToken& token, OnRetired on_retired, Logger log);

    // The entries of an earlier run. Before anything else.
    void restore(catalog::CatalogTable table) { table_ = std::move(table); }

    // From now on metrics and `on_retired` are told.
    void start() { tell_states(); }

    Snapshot snapshot();

    std::vector<api::NodeInfo> nodes() const;

    api::CatalogModelList list() const;

    // Errors: not_found.
    Result<api::CatalogModel> get(const std::string& id) const;

    // Returns whether the entry is new.
    bool put(api::CatalogModel model);

    // Errors: not_found.
    Result<void> remove(const std::string& id);
    Result<api::CatalogModel> set_state(
        const std::string& id, const api::ModelStateRequest& request
    );

    // Errors: as plan_staging.
    Result<api::Operation> stage(const api::StageRequest& request);

    // Has every Online copy read. Errors: not_found (no entry and no copy).
    Result<api::Operation> verify(const std::string& id);

    const operations::OperationTable& operations() const { return operations_; }

private:
    struct Run;

    api::Operation begin(std::shared_ptr<Run> run);
    Task<void> drive(std::shared_ptr<Run> run, std::size_t index);
    Task<Result<void>> follow(std::shared_ptr<Run> run, std::size_t index, std::string id);
    void end_part(Run& run, std::size_t index, Result<void> outcome);
    void told(Run& run);
    void count_verification(const NodeId& node, const Result<void>& outcome);
    void tell_states();
    Task<void> follow_deadlines();
    bool is_online(const NodeId& node) const;

    Parts parts_;
    NodeClient client_;
    Logger log_;
    catalog::CatalogTable table_;
    operations::OperationTable operations_;
    std::uint64_t version_ = 0;
    OnRetired on_retired_;
    view::RetiredModelsPtr retired_ = std::make_shared<view::RetiredModels>();
    bool following_ = false;
};

}  // namespace orch::control::fleet
