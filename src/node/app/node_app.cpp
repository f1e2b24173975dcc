#include "node/app/node_app.hpp"

#include "api/http_address.hpp"
#include "daemon/reload_route.hpp"
#include "net/access_log.hpp"
#include "net/auth_middleware.hpp"
#include "net/openapi_route.hpp"
#include "node/provision/find_engine.hpp"

#include <unistd.h>

#include <filesystem>
#include <memory>
#include <stdexcept>
#include <utility>

namespace orch::node::app {
namespace {

// Hashing and waiting for commands; two so that one slow command does not hold up the other.
constexpr std::size_t kBlockingThreads = 2;

// Models are read and written here, for minutes: two at a time, and nothing else waits for them.
constexpr std::size_t kFileThreads = 2;

constexpr Duration kRequestGrace = std::chrono::seconds(10);

async::TaskGroup::OnBug report_to(Logger log) {
    return [log = std::move(log)](const std::string& what) {
        log.error("a task of the node ended with an exception", {{"what", what}});
    };
}

bool is_executable(const std::string& path) {
    return std::filesystem::is_regular_file(path) && access(path.c_str(), X_OK) == 0;
}

std::string value_of(const std::map<std::string, std::string>& environment, const char* name) {
    const auto found = environment.find(name);
    return found == environment.end() ? "" : found->second;
}

supervisor::GpuProbeConfig gpu_probe_config(const NodeConfig& config) {
    supervisor::GpuProbeConfig probe;
    probe.environment = config.environment;
    probe.scratch_dir = config.state_dir;
    return probe;
}

Engines count_engines(const lifecycle::PoolsView& pools) {
    Engines engines;
    for (const auto& pool : pools.pools) {
        for (const lifecycle::ReplicaView& replica : pool->replicas) {
            engines.live += lifecycle::is_live(replica.state) ? 1 : 0;
            engines.serving += replica.serves() ? 1 : 0;
        }
    }
    return engines;
}

// The files were sound when the settings were read.
std::shared_ptr<const net::Tls> tls_of(const net::TlsFiles& files) {
    auto tls = net::load_tls(files);
    if (!tls) {
        throw std::runtime_error(tls.error().message);
    }
    return *tls;
}

}  // namespace

NodeApp::NodeApp(NodeConfig config, async::AsyncClock& clock, LogSink& sink)
    : config_(std::move(config)),
      clock_(clock),
      sink_(sink),
      log_(sink, "node"),
      audit_((config_.state_dir / "audit").string(), clock, Logger(sink, "audit")),
      request_audit_(audit_, clock),
      auth_(config_.auth, config_.outbound_token),
      tls_(tls_of(config_.tls)),
      access_log_sample_(config_.access_log_sample),
      rng_(system_seed()),
      pools_probe_(metrics_, config_.node_id),
      supervisor_probe_(metrics_, config_.node_id),
      handoff_probe_(metrics_, config_.node_id),
      enroll_probe_(metrics_, config_.node_id),
      blocking_(kBlockingThreads),
      file_threads_(kFileThreads),
      deadlines_(clock),
      clients_(control_.executor(), deadlines_),
      to_control_(control_.executor(), deadlines_, net::ClientPool::kIdleLimitOfOurs),
      tasks_(control_.executor(), report_to(log_)),
      timers_(control_.executor(), report_to(log_)),
      closing_(control_.executor(), report_to(log_)),
      edge_(0, clock, Logger(sink, "net")),
      relay_(
          edge_,
          [this](const PoolId& pool, const ReplicaId& replica) {
              control_.post([this, pool, replica] { supervisor_.connection_refused(pool, replica); }
              );
          },
          Logger(sink, "lease")
      ),
      facts_(config_, clock, make_uuid(rng_)),
      models_(
          model_store_config(),
          {clock, tasks_, clients_, file_threads_, rng_},
          [this] { on_models(); },
          [this](const std::string& id, const std::string& path) {
              return facts_.pools_with_model(id, path);
          },
          Logger(sink, "models")
      ),
      gpu_probe_(gpu_probe_config(config_), clock, Logger(sink, "inventory")),
      gpu_look_(clock, control_.executor()),
      supervisor_(
          supervisor_config(),
          {clock, tasks_, clients_, blocking_, rng_, supervisor_probe_},
          [this](const std::shared_ptr<const lifecycle::PoolsView>& pools, bool readiness_changed) {
              on_pools(pools, readiness_changed);
          },
          [this](const PoolId& pool, const ReplicaId& replica) {
              edge_.loop().post([this, pool, replica] { relay_.close_relays(pool, replica); });
          },
          Logger(sink, "supervisor")
      ),
      watcher_(
          {config_.runtime_dir, config_.watch_interval, config_.auto_delete_handoff},
          clock,
          handoff_probe_,
          [this](api::HandoffFile file) { return supervisor_.handed_over(std::move(file)); },
          Logger(sink, "handoff")
      ),
      route_context_{
          control_,
          facts_,
          config_,
          relay_,
          sequence_,
          [this] { return advertised(); },
          models_,
          supervisor_,
          tasks_,
          file_threads_,
          [this] { return metrics_text(); },
      },
      server_({&edge_}, server_spec(), Logger(sink, "http")) {
    clients_.use_tls(tls_);
    to_control_.use_tls(tls_);
    edge_.clients().use_tls(tls_);
    daemon::add_reload_route(routes_, blocking_, reload_);
    add_node_routes(routes_, route_context_);
    add_pool_routes(routes_, route_context_);
    add_model_routes(routes_, route_context_);
    add_engine_routes(routes_, route_context_);
    facts_.set_models(&models_);
    net::add_openapi_route(
        routes_, {"pool-managerd", "One GPU machine of llama-orch: its pools and its engines."}
    );
}

NodeApp::~NodeApp() = default;

net::ServerSpec NodeApp::server_spec() {
    const auto observe = [this, log = net::access_log(Logger(sink_, "http"), access_log_sample_)](
                             const net::Exchange& exchange, Duration elapsed
                         ) {
        log(exchange, elapsed);
        request_audit_.observe(exchange);
    };
    net::ServerSpec spec{routes_, {net::auth_middleware(auth_)}, observe, {}, {}, &tls_};
    // Tells the gateway that the node speaks, and not an engine behind it.
    spec.own_headers.add("X-Llorch-Origin", "node");
    return spec;
}

void NodeApp::apply(const NodeConfig& next) {
    set_log(next.log_level, next.log_format);
    access_log_sample_ = next.access_log_sample;
    control_.post([this, interval = next.heartbeat_interval] {
        for (const auto& enrolment : enrolments_) {
            enrolment->set_interval(interval);
        }
    });
}

void NodeApp::set_log(LogLevel level, LogFormat format) {
    sink_.set_level(level);
    sink_.set_format(format);
}

supervisor::SupervisorConfig NodeApp::supervisor_config() const {
    const provision::EngineSearch search{
        .setting = config_.engine_binary,
        .setting_name = "POOL_MANAGERD_ENGINE_BINARY",
        .path = value_of(config_.environment, "PATH"),
        .program_folder = std::filesystem::path(config_.program_path).parent_path().string(),
    };
    const auto engine = provision::find_engine(search, is_executable);
    supervisor::SupervisorConfig config;
    if (engine) {
        log_.info(engine->reason, {{"engine", engine->binary}});
        config.engine_binary = engine->binary;
    } else {
        log_.warn(engine.error().message);
        config.engine_missing_reason = engine.error().message;
    }
    config.state_dir = config_.state_dir;
    config.runtime_dir = config_.runtime_dir;
    config.model_dir = config_.model_dir;
    config.find_model = [this](const std::string& name) { return models_.find_file(name); };
    config.inherited_environment = config_.environment;
    config.keep_engines = config_.keep_engines;
    return config;
}

models::ModelStoreConfig NodeApp::model_store_config() const {
    models::ModelStoreConfig config;
    config.folder = config_.model_dir;
    config.node = config_.node_id;
    const std::string inside = config_.model_dir.lexically_relative(config_.state_dir).string();
    config.ownership = inside.empty() || inside.starts_with("..") ? models::Ownership::marked
                                                                  : models::Ownership::of_state_dir;
    config.scan_interval = config_.model_scan_interval;
    config.cluster_token = [this] { return auth_.outbound().text(); };
    return config;
}

Result<void> NodeApp::open_state() {
    return models_.open();
}

Result<HostPort> NodeApp::bind() {
    auto bound = server_.bind(config_.bind);
    if (bound) {
        bound_ = *bound;
        make_enroll_clients();
    }
    return bound;
}

void NodeApp::make_enroll_clients() {
    if (!config_.register_on_startup) {
        return;
    }
    enroll::EnrollConfig enroll_config;
    enroll_config.interval = config_.heartbeat_interval;
    for (const std::string& url : config_.orchestratord_urls) {
        const auto address = api::parse_http_address(url, "ORCHESTRATORD_URL");
        enroll::EnrollTarget target{
            {address->host, address->port},
            address->tls,
            auth_.outbound(),
            config_.advertised_address,
            bound_,
            !config_.tls.cert.empty(),
        };
        enrolments_.push_back(std::make_unique<enroll::EnrollClient>(
            std::move(target),
            enroll_config,
            enroll::EnrollClient::Parts{
                clock_, tasks_, to_control_, facts_, sequence_, rng_, enroll_probe_
            },
            Logger(sink_, "enroll")
        ));
    }
}

std::string NodeApp::advertised() const {
    for (const auto& enrolment : enrolments_) {
        if (!enrolment->advertised().empty()) {
            return enrolment->advertised();
        }
    }
    if (!config_.advertised_address.empty()) {
        return config_.advertised_address;
    }
    return (config_.tls.cert.empty() ? "http://" : "https://") + to_string(bound_);
}

void NodeApp::on_pools(
    const std::shared_ptr<const lifecycle::PoolsView>& pools, bool readiness_changed
) {
    facts_.set_pools(pools);
    pools_probe_.set_pools(pools);
    for (const auto& pool : pools->pools) {
        handoff_probe_.expect(pool->spec->id);
    }
    edge_.loop().post([this, pools] { relay_.set_view(pools); });
    if (const Engines now = count_engines(*pools); std::exchange(engines_, now) != now) {
        gpu_look_.ring();
    }
    if (readiness_changed && config_.callback_enabled) {
        for (const auto& enrolment : enrolments_) {
            enrolment->readiness_changed();
        }
    }
}

// What the cluster can be told of at once, as readiness is.
void NodeApp::on_models() {
    if (config_.callback_enabled) {
        for (const auto& enrolment : enrolments_) {
            enrolment->readiness_changed();
        }
    }
}

std::string NodeApp::metrics_text() {
    pools_probe_.look();
    return metrics_.expose();
}

void NodeApp::start() {
    control_.post([this] {
        timers_.spawn(deadlines_.run());
        models_.start();
        tasks_.spawn(run_start());
    });
    control_.start("control");
    edge_.start();
    server_.start();
}

// GPUs first: engines are started for them, and registration tells of them.
Task<void> NodeApp::run_start() {
    std::vector<inventory::Gpu> gpus = co_await gpu_probe_.load_gpus();
    facts_.set_gpus(gpus);
    pools_probe_.set_gpus(gpus);
    supervisor_.start(config_.pools, std::move(gpus));
    tasks_.spawn(watcher_.scan_at_interval());
    tasks_.spawn(watcher_.scan_on_change());
    tasks_.spawn(refresh_gpus());
    for (const auto& enrolment : enrolments_) {
        enrolment->start();
    }
}

// At the interval, and when an engine came or went: the next load asks for what it leaves.
Task<void> NodeApp::refresh_gpus() {
    const auto next = [this] { return clock_.now() + config_.gpu_interval; };
    for (Instant when = next(); co_await gpu_look_.wait_until(when); when = next()) {
        const Instant looked_at = clock_.now();
        std::vector<inventory::Gpu> gpus = co_await gpu_probe_.load_gpus();
        supervisor_.set_gpus(gpus, looked_at);
        pools_probe_.set_gpus(gpus);
        facts_.set_gpus(std::move(gpus));
    }
}

void NodeApp::stop() {
    control_.post([this] { closing_.spawn(run_stop()); });
    control_.finish();
    edge_.stop();
}

Task<void> NodeApp::run_stop() {
    if (config_.keep_engines) {
        // The node is back in a moment: it stays in the cluster, told to drain, and says so itself
        // to whoever asks meanwhile.
        co_await supervisor_.stop();
        for (const auto& enrolment : enrolments_) {
            co_await enrolment->finish_telling();
        }
        server_.stop_accepting();
    } else {
        for (const auto& enrolment : enrolments_) {
            co_await enrolment->leave();
        }
        server_.stop_accepting();
        co_await supervisor_.stop();
    }
    co_await blocking_.offload([this] {
        server_.wait_idle(kRequestGrace);
        return true;
    });
    tasks_.cancel();
    co_await tasks_.join();
    clients_.close_idle();
    to_control_.close_idle();
    timers_.cancel();
}

}  // namespace orch::node::app
