#include "control/app/control_app.hpp"

#include "base/rng.hpp"
#include "control/app/refusals.hpp"
#include "daemon/reload_route.hpp"
#include "net/access_log.hpp"
#include "net/auth_middleware.hpp"
#include "net/openapi_route.hpp"

#include <memory>
#include <stdexcept>
#include <utility>

namespace orch::control::app {
namespace {

constexpr Duration kRepeatCancel = std::chrono::milliseconds(5);

// For answers that tell waiting requests to come again: they go out at once.
constexpr Duration kFarewell = std::chrono::milliseconds(500);

constexpr std::size_t kDiskThreads = 1;  // what is saved later is written later

// Of a large cluster the metrics take long to write: requests on the edges do not wait for that.
constexpr std::size_t kScrapeThreads = 1;

std::vector<std::unique_ptr<net::Edge>> make_edges(
    std::size_t count, async::AsyncClock& clock, LogSink& sink
) {
    std::vector<std::unique_ptr<net::Edge>> edges;
    for (std::size_t index = 0; index < count; ++index) {
        edges.push_back(std::make_unique<net::Edge>(index, clock, Logger(sink, "net")));
    }
    return edges;
}

std::vector<net::Edge*> pointers(const std::vector<std::unique_ptr<net::Edge>>& edges) {
    std::vector<net::Edge*> out;
    for (const auto& edge : edges) {
        out.push_back(edge.get());
    }
    return out;
}

std::string audit_folder(const ControlConfig& config) {
    return config.state_dir.empty() ? "" : config.state_dir + "/audit";
}

// The files were sound when the settings were read.
std::shared_ptr<const net::Tls> tls_of(const net::TlsFiles& files) {
    auto tls = net::load_tls(files);
    if (!tls) {
        throw std::runtime_error(tls.error().message);
    }
    return *tls;
}

async::TaskGroup::OnBug report_to(Logger log) {
    return [log = std::move(log)](const std::string& what) {
        log.error("a control task ended with an exception", {{"what", what}});
    };
}

}  // namespace

ControlApp::ControlApp(ControlConfig config, async::AsyncClock& clock, LogSink& sink)
    : config_(std::move(config)),
      clock_(clock),
      sink_(sink),
      log_(sink, "control"),
      audit_(audit_folder(config_), clock, Logger(sink, "audit")),
      request_audit_(audit_, clock),
      auth_(config_.auth, config_.outbound_token),
      tls_(tls_of(config_.tls)),
      gateway_config_(std::make_shared<const gateway::GatewayConfig>(config_.gateway)),
      access_log_sample_(config_.access_log_sample),
      rng_(system_seed()),
      disk_(kDiskThreads),
      scrapes_(kScrapeThreads),
      deadlines_(clock),
      clients_(control_.executor(), deadlines_, net::ClientPool::kIdleLimitOfOurs),
      tasks_(control_.executor(), report_to(log_)),
      timers_(control_.executor(), report_to(log_)),
      closing_(control_.executor(), report_to(log_)),
      edges_(make_edges(config_.edge_threads, clock, sink)),
      edge_pointers_(pointers(edges_)),
      dispatch_(
          control_,
          clock,
          tasks_,
          config_.admission,
          config_.placement,
          metrics_,
          [this](const PoolKey& pool) { pools_.load(pool); }
      ),
      answer_probe_(metrics_, edges_.size()),
      gateway_(
          edge_pointers_,
          {dispatch_,
           gateway_config_,
           auth_.outbound(),
           Logger(sink, "gateway"),
           answer_probe_,
           [this](const NodeId& node) { control_.post([this, node] { poller_.ask_now(node); }); }},
          config_.placement,
          metrics_
      ),
      task_backend_(
          config_.tasks,
          {control_, clock, tasks_, dispatch_, gateway_, edge_pointers_},
          Logger(sink, "tasks")
      ),
      probe_(metrics_),
      node_status_(clients_, auth_.outbound()),
      reachability_(node_status_),
      registry_(
          config_.registry,
          {clock, tasks_, reachability_, probe_},
          [this](const view::ClusterViewPtr& view) { on_view(view); },
          Logger(sink, "registry")
      ),
      catalog_probe_(metrics_),
      catalog_(
          {clock, tasks_, clients_, registry_, rng_, catalog_probe_},
          auth_.outbound(),
          [this](const view::RetiredModelsPtr& retired) { on_retired(retired); },
          Logger(sink, "catalog")
      ),
      catalog_file_(config_.state_dir + "/catalog.json"),
      poll_probe_(metrics_),
      poller_(
          {.interval = config_.poll_interval},
          system_seed(),
          {clock, tasks_, node_status_, registry_, static_nodes_, poll_probe_},
          Logger(sink, "poller")
      ),
      fleet_(
          fleet::fleet_state_path(config_.state_dir),
          {clock, disk_, node_status_, registry_, static_nodes_, poller_},
          Logger(sink, "fleet")
      ),
      node_client_(clients_, auth_.outbound()),
      load_probe_(metrics_),
      pools_(
          {clock, tasks_, node_client_, registry_, load_probe_},
          [this](const PoolKey& pool, std::string why) {
              dispatch_.dispatcher().load_refused(pool, std::move(why), clock_.now());
          },
          Logger(sink, "fleet")
      ),
      route_context_{
          control_,
          tasks_,
          registry_,
          fleet_,
          pools_,
          dispatch_,
          gateway_,
          task_backend_,
          metrics_,
          scrapes_,
          config_.profile.profile,
          unix_ms(clock.wall()) / 1000,
          catalog_,
          catalog_file_,
          disk_,
          auth_.outbound(),
      },
      server_(
          edge_pointers_,
          {routes_, {net::auth_middleware(auth_)}, make_observer(sink), {}, {}, &tls_},
          Logger(sink, "http")
      ) {
    clients_.use_tls(tls_);
    for (const auto& edge : edges_) {
        edge->clients().use_tls(tls_);
    }
    daemon::add_reload_route(routes_, disk_, reload_);
    gateway_.add_routes(routes_);
    add_model_routes(routes_, route_context_);
    add_node_routes(routes_, route_context_);
    add_fleet_routes(routes_, route_context_);
    add_discovery_routes(routes_, route_context_);
    add_pool_routes(routes_, route_context_);
    add_catalog_routes(routes_, route_context_);
    add_operation_routes(routes_, route_context_);
    add_task_routes(routes_, route_context_);
    add_meta_routes(routes_, route_context_);
    net::add_openapi_route(
        routes_, {"orchestratord", "The control plane of llama-orch: one endpoint for all nodes."}
    );
}

ControlApp::~ControlApp() = default;

Result<void> ControlApp::open_state() {
    auto table = catalog_file_.load();
    if (!table) {
        return std::unexpected(table.error());
    }
    catalog_.restore(std::move(*table));
    auto fleet = fleet::load_fleet_state(fleet::fleet_state_path(config_.state_dir));
    if (!fleet) {
        return std::unexpected(fleet.error());
    }
    fleet_state_ = std::move(*fleet);
    return {};
}

Result<HostPort> ControlApp::bind() {
    return server_.bind(config_.profile.bind);
}

Result<HostPort> ControlApp::bind_private() {
    return server_.bind_private();
}

void ControlApp::apply(const ControlConfig& next) {
    sink_.set_level(next.log_level);
    sink_.set_format(next.log_format);
    access_log_sample_ = next.access_log_sample;
    gateway_config_.publish(std::make_shared<const gateway::GatewayConfig>(next.gateway));
    gateway_.set_policy(next.placement);
    control_.post([this, next] {
        registry_.set_config(next.registry);
        poller_.set_interval(next.poll_interval);
        dispatch_.dispatcher().set_config(next.admission);
        dispatch_.dispatcher().set_policy(next.placement);
    });
}

net::RequestObserver ControlApp::make_observer(LogSink& sink) {
    return [this, log = net::access_log(Logger(sink, "http"), access_log_sample_)](
               const net::Exchange& exchange, Duration elapsed
           ) {
        log(exchange, elapsed);
        request_audit_.observe(exchange);
        count_refusal(exchange, control_, registry_);
    };
}

// Waiting requests first: their waiters stand in the cells before an edge can claim one.
void ControlApp::on_view(const view::ClusterViewPtr& view) {
    dispatch_.dispatcher().set_view(view, clock_.now());
    gateway_.publish(view);
}

void ControlApp::on_retired(const view::RetiredModelsPtr& retired) {
    task_backend_.set_retired(retired);
    gateway_.set_retired(retired);
}

void ControlApp::add_metrics(std::function<std::string()> text) {
    route_context_.more_metrics = std::move(text);
}

void ControlApp::start() {
    control_.post([this] {
        timers_.spawn(deadlines_.run());
        catalog_.start();
        fleet_.restore(fleet_state_, config_.static_nodes);
        registry_.start();
        poller_.start();
    });
    control_.start("control");
    for (const auto& edge : edges_) {
        edge->start();
    }
    server_.start();
}

void ControlApp::stop(Duration grace) {
    server_.stop_accepting();
    control_.post([this] { task_backend_.close(); });
    server_.wait_idle(grace);
    control_.post([this] {
        task_backend_.end_running();
        dispatch_.dispatcher().close();
    });
    server_.wait_idle(kFarewell);
    for (const auto& edge : edges_) {
        edge->stop();
    }
    control_.post([this] { closing_.spawn(end_control_tasks()); });
    control_.finish();
}

Task<void> ControlApp::end_control_tasks() {
    // A task that goes on to something else when what it awaits ends has to be told again.
    while (tasks_.size() != 0) {
        tasks_.cancel();
        co_await clock_.sleep_for(kRepeatCancel);
    }
    clients_.close_idle();
    timers_.cancel();
}

}  // namespace orch::control::app
