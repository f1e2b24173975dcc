#include "node/supervisor/supervisor.hpp"

#include "api/http_address.hpp"
#include "node/supervisor/proc_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>
#include <utility>

namespace orch::node::supervisor {
namespace {

constexpr Duration kLeaseLook = std::chrono::milliseconds(50);

LauncherConfig launcher_config(const SupervisorConfig& config) {
    return {
        .binary = config.engine_binary,
        .log_dir = config.state_dir / "logs",
        .model_dir = config.model_dir,
        .find_model = config.find_model,
        .inherited = config.inherited_environment
    };
}

Result<HostPort> plain_address(const std::string& url) {
    const auto address = api::parse_http_address(url, "url");
    if (!address) {
        return std::unexpected(address.error());
    }
    if (address->tls) {
        return fail(Errc::invalid_params, "url: an engine is reached by http, not by https");
    }
    return HostPort{address->host, address->port};
}

// The pool of an engine that was handed over to a node that has no such pool.
lifecycle::PoolSpec spec_from(const api::HandoffFile& file) {
    lifecycle::PoolSpec spec;
    spec.id = file.pool_id;
    spec.engine = file.engine;
    spec.url = file.url;
    spec.slots = std::max(file.slots_total.value_or(spec.slots), 1U);
    std::string name = file.pool_id.str();
    if (file.model && file.model->path) {
        name = std::filesystem::path(*file.model->path).stem().string();
    }
    if (file.model && file.model->id) {
        name = *file.model->id;
    }
    spec.served_name = ServedName(std::move(name));
    return lifecycle::with_defaults(std::move(spec));
}

// An engine whose file names a process that has ended meanwhile will not come back by itself.
bool has_ended(const api::HandoffFile& file) {
    const auto address = api::parse_http_address(file.url, "url");
    return file.pid && address && is_loopback_host(address->host) && !load_process(*file.pid);
}

}  // namespace

Supervisor::Supervisor(
    SupervisorConfig config,
    Parts parts,
    OnPools on_pools,
    OnCloseUpstreams on_close_upstreams,
    Logger log
)
    : config_(std::move(config)),
      parts_(parts),
      on_pools_(std::move(on_pools)),
      on_close_upstreams_(std::move(on_close_upstreams)),
      log_(std::move(log)),
      run_records_(config_.state_dir / "run"),
      bound_(config_.state_dir / "bound"),
      launcher_(launcher_config(config_), parts_.blocking, run_records_),
      services_{
          .clock = parts_.clock,
          .tasks = parts_.tasks,
          .clients = parts_.clients,
          .blocking = parts_.blocking,
          .rng = parts_.rng,
          .table = table_,
          .launcher = launcher_,
          .run_records = run_records_,
          .runtime_dir = config_.runtime_dir,
          .gpus = {},
          .on_change =
              [this] {
                  publish();
                  notice_drained();
                  notice_rest();
              },
          .on_close_upstreams = on_close_upstreams_,
          .probe = parts_.probe,
          .log = log_
      } {}

Supervisor::~Supervisor() = default;

void Supervisor::start(std::vector<lifecycle::PoolSpec> pools, std::vector<inventory::Gpu> gpus) {
    if (at_rest_) {
        return;  // the daemon was told to stop while it looked for its GPUs
    }
    prepare_folders();
    set_gpus(std::move(gpus), parts_.clock.now());
    for (const lifecycle::PoolSpec& spec : pools) {
        add_pool(spec);
    }
    beginning_ = true;
    load_bound();
    publish();
    parts_.tasks.spawn(begin());
}

void Supervisor::prepare_folders() {
    for (const RecordFolder& folder : {run_records_, bound_}) {
        if (const auto made = folder.prepare(); !made) {
            log_.error("a folder is missing", {{"reason", made.error().message}});
        }
    }
    for (const auto& path : {config_.state_dir / "logs", config_.runtime_dir}) {
        std::error_code failure;
        std::filesystem::create_directories(path, failure);
        if (failure) {
            log_.error(
                "a folder is missing", {{"path", path.string()}, {"reason", failure.message()}}
            );
        }
    }
}

void Supervisor::load_bound() {
    for (const RecordFolder::Record& found : bound_.load_all()) {
        const auto file = api::parse_handoff_file(found.text);
        if (!file || has_ended(*file)) {
            bound_.remove(found.name);
            continue;
        }
        bind(*file);
    }
}

void Supervisor::add_pool(const lifecycle::PoolSpec& spec) {
    table_.put_pool(spec);
    if (!spec.external()) {
        for (std::uint32_t i = 0; i < spec.replicas; ++i) {
            add_replica(spec, ReplicaId(fmt::format("r{}", i)));
        }
        return;
    }
    const ReplicaId replica("r0");
    if (const auto to = plain_address(*spec.url)) {
        add_watched(spec, replica, spec.slots, *to);
    } else {
        table_.add_replica(spec.id, replica, spec.slots, true);
        give_up(spec.id, replica, to.error().message);
    }
}

void Supervisor::add_replica(const lifecycle::PoolSpec& spec, const ReplicaId& replica) {
    table_.add_replica(spec.id, replica, spec.slots, false);
    if (spec.engine != EngineFamily::llamacpp) {
        give_up(
            spec.id,
            replica,
            fmt::format(
                "engines of family {} are not started here: run one and give its url",
                to_string(spec.engine)
            )
        );
    } else if (config_.engine_binary.empty()) {
        give_up(spec.id, replica, config_.engine_missing_reason);
    } else {
        runners_[{spec.id, replica}] =
            std::make_unique<ReplicaRunner>(services_, spec, replica, engine_config(spec));
    }
}

void Supervisor::add_watched(
    const lifecycle::PoolSpec& spec, const ReplicaId& replica, std::uint32_t slots, HostPort to
) {
    table_.add_replica(spec.id, replica, slots, true);
    runners_[{spec.id, replica}] = std::make_unique<ReplicaRunner>(
        services_, spec, replica, engine_config(spec), std::move(to)
    );
}

// A replica that no attempt can help: it says why, and has no runner.
void Supervisor::give_up(const PoolId& pool, const ReplicaId& replica, std::string why) {
    log_.warn(
        "a replica cannot be started", {{"pool", pool}, {"replica", replica}, {"reason", why}}
    );
    table_.give_up(pool, replica, std::move(why), parts_.clock.wall());
}

lifecycle::EngineConfig Supervisor::engine_config(const lifecycle::PoolSpec& spec) const {
    lifecycle::EngineConfig config = config_.engine;
    config.start_timeout = spec.start_timeout;
    return config;
}

Task<void> Supervisor::stop() {
    at_rest_.emplace(parts_.tasks.executor());
    table_.set_startable(false);
    const Instant drain_until = parts_.clock.now() + config_.drain_limit;
    for (auto& [key, runner] : runners_) {
        if (!runner->at_rest()) {
            begin_drain(key.first, DrainReason::shutdown);
        }
        if (config_.keep_engines) {
            runner->leave(drain_until);
            table_.set_draining(key.first, true);
        } else {
            runner->stop(drain_until);
        }
    }
    publish();
    notice_rest();
    co_await at_rest_->wait_to_end();
    if (config_.keep_engines) {
        co_await end_relays(drain_until);
    }
}

// Nothing new is leased: waits for the last lease, and cuts off what is late.
Task<void> Supervisor::end_relays(Instant drain_until) {
    const auto leases = [this] {
        std::uint32_t held = 0;
        for (const auto& pool : table_.snapshot()->pools) {
            held += pool->active_leases();
        }
        return held;
    };
    // The pause before the first look lets the edges see that the pools drain.
    bool awake = co_await parts_.clock.sleep_for(kLeaseLook);
    while (awake && leases() > 0 && parts_.clock.now() < drain_until) {
        awake = co_await parts_.clock.sleep_for(kLeaseLook);
    }
    for (const auto& [key, runner] : runners_) {
        on_close_upstreams_(key.first, key.second);
    }
}

void Supervisor::notice_rest() {
    const bool rest = at_rest_ && !beginning_ && std::ranges::all_of(runners_, [](const auto& at) {
                          return at.second->at_rest();
                      });
    if (rest && !std::exchange(rested_, true)) {
        at_rest_->set(true);
    }
}

void Supervisor::connection_refused(const PoolId& pool, const ReplicaId& replica) {
    if (ReplicaRunner* const runner = find(pool, replica)) {
        runner->connection_refused();
    }
}

bool Supervisor::handed_over(api::HandoffFile file) {
    if (at_rest_) {
        return false;
    }
    const Bound bound = bind(file);
    publish();
    if (bound != Bound::watched) {
        return bound == Bound::ours;
    }
    const auto saved =
        bound_.save(api::handoff_file_name(file.pool_id, file.replica_id), api::to_json(file));
    if (!saved) {
        log_.warn(
            "a restart of the daemon would forget this engine", {{"reason", saved.error().message}}
        );
    }
    return true;
}

Supervisor::Bound Supervisor::bind(const api::HandoffFile& file) {
    const ReplicaRunner* const runner = find(file.pool_id, file.replica_id);
    const bool ours = runner != nullptr && !runner->watched();
    if (ours && runner->url() != file.url) {
        log_.warn(
            "a handoff file names a replica that this node runs itself and was ignored",
            {{"pool", file.pool_id}, {"replica", file.replica_id}, {"url", file.url}}
        );
        return Bound::refused;
    }
    if (!ours) {
        if (!fits_its_pool(file)) {
            return Bound::refused;
        }
        bind_watched(file);
    }
    if (std::exchange(told_bound_[{file.pool_id, file.replica_id}], file.url) != file.url) {
        log_.info(
            "pool_bound",
            {{"pool", file.pool_id},
             {"replica", file.replica_id},
             {"engine", to_string(file.engine)},
             {"url", file.url}}
        );
    }
    return ours ? Bound::ours : Bound::watched;
}

void Supervisor::bind_watched(const api::HandoffFile& file) {
    const HostPort to = *plain_address(file.url);
    if (ReplicaRunner* const runner = find(file.pool_id, file.replica_id)) {
        runner->rebind(to);
        return;
    }
    if (table_.snapshot()->find(file.pool_id) == nullptr) {
        table_.put_pool(spec_from(file));
    }
    const auto spec = table_.snapshot()->find(file.pool_id)->spec;
    table_.remove_replica(file.pool_id, file.replica_id);
    add_watched(*spec, file.replica_id, file.slots_total.value_or(spec->slots), to);
    find(file.pool_id, file.replica_id)->start();
}

bool Supervisor::fits_its_pool(const api::HandoffFile& file) {
    std::string why;
    if (const auto to = plain_address(file.url); !to) {
        why = to.error().message;
    }
    const auto pool = table_.snapshot()->find(file.pool_id);
    if (pool == nullptr) {
        for (const auto& problem : lifecycle::check_pool_spec(spec_from(file))) {
            why += (why.empty() ? "" : "; ") + problem.key + ": " + problem.message;
        }
    } else if (pool->spec->engine != file.engine) {
        why = fmt::format(
            "the pool's engine is {}, not {}", to_string(pool->spec->engine), to_string(file.engine)
        );
    }
    if (!why.empty()) {
        log_.warn(
            "a handoff file cannot be taken in",
            {{"pool", file.pool_id}, {"replica", file.replica_id}, {"reason", why}}
        );
    }
    return why.empty();
}

ReplicaRunner* Supervisor::find(const PoolId& pool, const ReplicaId& replica) {
    const auto found = runners_.find({pool, replica});
    return found == runners_.end() ? nullptr : found->second.get();
}

std::shared_ptr<const lifecycle::PoolsView> Supervisor::view() {
    return table_.snapshot();
}

void Supervisor::publish() {
    const auto pools = table_.snapshot();
    if (std::exchange(published_, pools->version) == pools->version) {
        return;
    }
    note_loads();
    const bool changed = note_readiness(*pools);
    on_pools_(pools, changed);
}

bool Supervisor::note_readiness(const lifecycle::PoolsView& pools) {
    std::map<PoolId, Standing> now;
    for (const auto& pool : pools.pools) {
        now[pool->spec->id] = {
            pool->ready(), pool->draining, pool->drained(), pool->loadable(), pool->broken()
        };
    }
    return std::exchange(standings_, now) != now;
}

}  // namespace orch::node::supervisor
