#pragma once

#include "async/async_clock.hpp"
#include "async/event_loop.hpp"
#include "async/offload.hpp"
#include "async/task_group.hpp"
#include "audit/audit_log.hpp"
#include "auth/live_auth.hpp"
#include "base/log.hpp"
#include "base/rng.hpp"
#include "control/app/control_config.hpp"
#include "control/app/routes.hpp"
#include "control/fleet/catalog_backend.hpp"
#include "control/fleet/catalog_file.hpp"
#include "control/fleet/catalog_probe.hpp"
#include "control/fleet/fleet_backend.hpp"
#include "control/fleet/load_probe.hpp"
#include "control/fleet/node_client.hpp"
#include "control/fleet/node_poller.hpp"
#include "control/fleet/node_status_client.hpp"
#include "control/fleet/poll_probe.hpp"
#include "control/fleet/pool_backend.hpp"
#include "control/fleet/reachability.hpp"
#include "control/fleet/registry_backend.hpp"
#include "control/fleet/registry_probe.hpp"
#include "control/fleet/static_nodes.hpp"
#include "control/gateway/dispatch_loop.hpp"
#include "control/gateway/gateway.hpp"
#include "control/tasks/task_backend.hpp"
#include "daemon/reloader.hpp"
#include "daemon/request_audit.hpp"
#include "metrics/registry.hpp"
#include "net/edge.hpp"
#include "net/http_server.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace orch::control::app {

// The whole control plane. Members stand in the order in which they are built; stop() takes them
// down in the order that is written there. Used by one thread, which is none of its own.
class ControlApp {
public:
    ControlApp(ControlConfig config, async::AsyncClock& clock, LogSink& sink);
    ~ControlApp();

    // Before start(). Errors: conflict, naming the address.
    Result<HostPort> bind();

    // Reads what the state directory remembers. After it is locked, before start(). Blocks.
    // Errors: internal, naming the file that is corrupt.
    Result<void> open_state();

    // Before start(): `text` is called on a thread of its own for what else GET /metrics tells; its
    // metrics have names of their own. Until stop() has returned.
    void add_metrics(std::function<std::string()> text);

    // A second address for the node in the same process; it speaks plain HTTP. As bind().
    Result<HostPort> bind_private();

    // Begins the audit log, before start(). Errors: internal, naming the file.
    Result<void> open_audit() { return audit_.open(); }

    // What a reload replaces, and what answers POST /v2/admin/reload. Before start().
    daemon::Reloader::Parts reload_parts() { return {auth_, tls_, audit_, clock_}; }

    void set_reload(std::function<api::ReloadReport()> reload) { reload_ = std::move(reload); }

    // Puts in force what may change while it runs; tokens and certificates are the reloader's.
    // Any thread.
    void apply(const ControlConfig& next);

    void start();

    // Stops accepting, lets requests end for at most `grace`, then ends everything.
    void stop(Duration grace);

private:
    void on_view(const view::ClusterViewPtr& view);
    void on_retired(const view::RetiredModelsPtr& retired);
    net::RequestObserver make_observer(LogSink& sink);
    Task<void> end_control_tasks();

    ControlConfig config_;
    async::AsyncClock& clock_;
    LogSink& sink_;
    Logger log_;
    audit::AuditLog audit_;
    daemon::RequestAudit request_audit_;
    auth::LiveAuth auth_;
    net::LiveTls tls_;
    Published<gateway::GatewayConfig> gateway_config_;
    std::atomic<std::uint64_t> access_log_sample_;
    std::function<api::ReloadReport()> reload_;
    metrics::Registry metrics_;
    Rng rng_;  // control thread
    async::BlockingPool disk_;
    async::BlockingPool scrapes_;

    async::EventLoop control_;
    net::DeadlineList deadlines_;
    net::ClientPool clients_;
    async::TaskGroup tasks_;
    async::TaskGroup timers_;
    async::TaskGroup closing_;

    std::vector<std::unique_ptr<net::Edge>> edges_;
    std::vector<net::Edge*> edge_pointers_;

    gateway::DispatchLoop dispatch_;
    gateway::AnswerProbe answer_probe_;
    gateway::Gateway gateway_;
    tasks::TaskBackend task_backend_;
    fleet::RegistryProbe probe_;
    fleet::NodeStatusClient node_status_;
    fleet::ReachabilityCheck reachability_;
    fleet::RegistryBackend registry_;
    fleet::CatalogProbe catalog_probe_;
    fleet::CatalogBackend catalog_;
    fleet::CatalogFile catalog_file_;
    fleet::StaticNodes static_nodes_;
    fleet::PollProbe poll_probe_;
    fleet::NodePoller poller_;
    fleet::FleetBackend fleet_;
    fleet::NodeClient node_client_;
    fleet::LoadProbe load_probe_;
    fleet::PoolBackend pools_;
    fleet::FleetState fleet_state_;  // as it was found at start

    RouteContext route_context_;
    net::RouteTable routes_;
    net::HttpServer server_;
};

}  // namespace orch::control::app
