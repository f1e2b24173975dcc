#pragma once

#include "async/alarm.hpp"
#include "async/async_clock.hpp"
#include "async/event_loop.hpp"
#include "async/offload.hpp"
#include "async/task_group.hpp"
#include "audit/audit_log.hpp"
#include "auth/live_auth.hpp"
#include "base/log.hpp"
#include "base/rng.hpp"
#include "daemon/reloader.hpp"
#include "daemon/request_audit.hpp"
#include "metrics/registry.hpp"
#include "net/edge.hpp"
#include "net/http_server.hpp"
#include "node/app/node_config.hpp"
#include "node/app/node_facts.hpp"
#include "node/app/pools_probe.hpp"
#include "node/app/routes.hpp"
#include "node/enroll/enroll_client.hpp"
#include "node/handoff/handoff_watcher.hpp"
#include "node/lease/engine_relay.hpp"
#include "node/models/model_store.hpp"
#include "node/supervisor/gpu_probe.hpp"
#include "node/supervisor/supervisor.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace orch::node::app {

// How many processes hold memory, and how many have all that they need.
struct Engines {
    std::size_t live = 0;
    std::size_t serving = 0;

    friend bool operator==(const Engines&, const Engines&) = default;
};

// The whole node. Members stand in the order in which they are built; stop() takes them down in
// the order that is written there. Used by one thread, which is none of its own. HOME builds one
// in orchestratord's process, and both still talk HTTP.
class NodeApp {
public:
    NodeApp(NodeConfig config, async::AsyncClock& clock, LogSink& sink);
    ~NodeApp();

    // Before start(). Errors: conflict, naming the address.
    Result<HostPort> bind();

    // Reads what an earlier run left in the state folder, whose lock is held. Before start().
    // Errors: internal, naming the file.
    Result<void> open_state();

    // Begins the audit log, before start(). Errors: internal, naming the file.
    Result<void> open_audit() { return audit_.open(); }

    // What a reload replaces, and what answers POST /v2/admin/reload. Before start().
    daemon::Reloader::Parts reload_parts() { return {auth_, tls_, audit_, clock_}; }

    void set_reload(std::function<api::ReloadReport()> reload) { reload_ = std::move(reload); }

    // Puts in force what may change while it runs; tokens and certificates are the reloader's.
    // Any thread.
    void apply(const NodeConfig& next);

    // A part of apply(): for HOME, whose log is orchestratord's to set. Any thread.
    void set_log(LogLevel level, LogFormat format);

    void start();

    // What GET /metrics answers. Any thread, from the constructor's end on.
    std::string metrics_text();

    // Leaves the cluster, lets requests end, ends the engines, then everything else. With
    // keep_engines neither the cluster is left nor an engine ended: its pools drain.
    void stop();

private:
    Task<void> run_start();
    Task<void> run_stop();
    Task<void> refresh_gpus();
    void on_pools(const std::shared_ptr<const lifecycle::PoolsView>& pools, bool readiness_changed);
    void make_enroll_clients();
    void on_models();
    supervisor::SupervisorConfig supervisor_config() const;
    models::ModelStoreConfig model_store_config() const;
    net::ServerSpec server_spec();
    std::string advertised() const;

    NodeConfig config_;
    async::AsyncClock& clock_;
    LogSink& sink_;
    Logger log_;
    audit::AuditLog audit_;
    daemon::RequestAudit request_audit_;
    auth::LiveAuth auth_;
    net::LiveTls tls_;
    std::atomic<std::uint64_t> access_log_sample_;
    std::function<api::ReloadReport()> reload_;
    Rng rng_;
    metrics::Registry metrics_;
    PoolsProbe pools_probe_;
    supervisor::SupervisorProbe supervisor_probe_;
    handoff::HandoffProbe handoff_probe_;
    enroll::EnrollProbe enroll_probe_;
    async::BlockingPool blocking_;
    async::BlockingPool file_threads_;

    async::EventLoop control_;
    net::DeadlineList deadlines_;
    net::ClientPool clients_;
    net::ClientPool to_control_;  // kept from heartbeat to heartbeat
    async::TaskGroup tasks_;
    async::TaskGroup timers_;
    async::TaskGroup closing_;

    net::Edge edge_;
    lease::EngineRelay relay_;

    NodeFacts facts_;
    enroll::BeatSequence sequence_;
    models::ModelStore models_;
    supervisor::GpuProbe gpu_probe_;
    async::Alarm gpu_look_;  // rung when the GPUs are to be looked at now
    Engines engines_;        // as told last
    supervisor::Supervisor supervisor_;
    handoff::HandoffWatcher watcher_;
    std::vector<std::unique_ptr<enroll::EnrollClient>> enrolments_;

    RouteContext route_context_;
    net::RouteTable routes_;
    net::HttpServer server_;
    HostPort bound_;
};

}  // namespace orch::node::app
