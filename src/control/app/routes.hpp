#pragma once

#include "async/event_loop.hpp"
#include "async/offload.hpp"
#include "async/task_group.hpp"
#include "auth/live_auth.hpp"
#include "control/app/control_config.hpp"
#include "control/fleet/catalog_backend.hpp"
#include "control/fleet/catalog_file.hpp"
#include "control/fleet/fleet_backend.hpp"
#include "control/fleet/pool_backend.hpp"
#include "control/fleet/registry_backend.hpp"
#include "control/gateway/gateway.hpp"
#include "control/tasks/task_backend.hpp"
#include "metrics/registry.hpp"
#include "net/route_table.hpp"

#include <cstdint>
#include <functional>
#include <string>

// The control plane's own routes, one file per resource; the gateway adds the inference routes.
// Handlers run on the edge of their connection; what the control thread owns they ask for there.
namespace orch::control::app {

struct RouteContext {
    async::EventLoop& control;
    async::TaskGroup& control_tasks;  // control thread
    fleet::RegistryBackend& registry;
    fleet::FleetBackend& fleet;
    fleet::PoolBackend& pools;
    gateway::DispatchLoop& dispatch;
    gateway::Gateway& gateway;
    tasks::TaskBackend& tasks;
    metrics::Registry& metrics;
    async::BlockingPool& scrapes;  // for writing them
    Profile profile;
    std::int64_t started_seconds;    // Unix time; what /v1/models shows as creation time
    fleet::CatalogBackend& catalog;  // control thread
    fleet::CatalogFile& catalog_file;
    async::BlockingPool& disk;                    // for writing files
    const auth::OutboundToken& outbound_token;    // sent to nodes
    std::function<std::string()> more_metrics{};  // beside `metrics`; empty: nothing; any thread
};

void add_node_routes(net::RouteTable& routes, RouteContext& context);
void add_fleet_routes(net::RouteTable& routes, RouteContext& context);
void add_discovery_routes(net::RouteTable& routes, RouteContext& context);
void add_pool_routes(net::RouteTable& routes, RouteContext& context);
void add_model_routes(net::RouteTable& routes, RouteContext& context);
void add_catalog_routes(net::RouteTable& routes, RouteContext& context);
void add_operation_routes(net::RouteTable& routes, RouteContext& context);
void add_task_routes(net::RouteTable& routes, RouteContext& context);
void add_meta_routes(net::RouteTable& routes, RouteContext& context);

}  // namespace orch::control::app
