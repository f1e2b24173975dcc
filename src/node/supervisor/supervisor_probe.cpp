#include "node/supervisor/supervisor_probe.hpp"

namespace orch::node::supervisor {
namespace {

using lifecycle::EngineStatus;
using lifecycle::ProbeOutcome;
using lifecycle::ReplicaState;

std::string_view outcome_text(ProbeOutcome outcome) {
    switch (outcome) {
        case ProbeOutcome::ok:
            return "success";
        case ProbeOutcome::loading:
            return "loading";
        case ProbeOutcome::no_answer:
            return "timeout";
        case ProbeOutcome::refused:
        case ProbeOutcome::wrong_child:
        case ProbeOutcome::failing:
            return "error";
    }
    return "error";
}

std::string_view reason_text(DrainReason reason) {
    switch (reason) {
        case DrainReason::request:
            return "request";
        case DrainReason::reload:
            return "reload";
        case DrainReason::shutdown:
            return "shutdown";
    }
    return "shutdown";
}

bool waits_to_restart(ReplicaState state) {
    return state == ReplicaState::backing_off || state == ReplicaState::broken;
}

bool serves(ReplicaState state) {
    return state == ReplicaState::ready || state == ReplicaState::draining;
}

}  // namespace

std::string_view to_string(ReloadFailure failure) {
    switch (failure) {
        case ReloadFailure::drain_timeout:
            return "drain_timeout";
        case ReloadFailure::start_failed:
            return "start_failed";
        case ReloadFailure::stopped:
            return "stopped";
    }
    return "stopped";
}

SupervisorProbe::SupervisorProbe(metrics::Registry& registry, const NodeId& node)
    : node_(node.str()),
      shard_(registry.add_shard()),
      health_checks_(shard_.counter(
          {.name = "pool_health_checks_total",
           .help = "Times this node asked an engine for its health: success, loading, error or "
                   "timeout.",
           .labels = {"node_id", "pool_id", "outcome"}}
      )),
      preloads_(shard_.counter(
          {.name = "preload_success_total",
           .help = "Times an engine of the pool had its model loaded and began to serve.",
           .labels = {"node_id", "pool_id"}}
      )),
      failed_preloads_(shard_.counter(
          {.name = "preload_failure_total",
           .help = "Times an engine of the pool failed before it served.",
           .labels = {"node_id", "pool_id", "crash_reason"}}
      )),
      drains_(shard_.counter(
          {.name = "drain_events_total",
           .help = "Times the pool began to drain: request (somebody asked for it), reload to "
                   "another model, or shutdown of the daemon.",
           .labels = {"node_id", "pool_id", "reason"}}
      )),
      drain_duration_(shard_.histogram(
          {.name = "drain_duration_ms",
           .help = "From the beginning of a drain until the pool's last engine had ended.",
           .labels = {"node_id", "pool_id"},
           .bounds = {10, 100, 500, 1000, 2500, 5000, 10000, 30000, 60000, 300000, 1800000}}
      )),
      reloads_(shard_.counter(
          {.name = "reload_success_total",
           .help = "Times the pool went over to another model.",
           .labels = {"node_id", "pool_id"}}
      )),
      failed_reloads_(shard_.counter(
          {.name = "reload_failure_total",
           .help = "Times the pool did not go over to another model: drain_timeout, start_failed, "
                   "or stopped with the daemon.",
           .labels = {"node_id", "pool_id", "reason"}}
      )),
      reload_duration_(shard_.histogram(
          {.name = "reload_duration_ms",
           .help = "From the beginning of a reload until all replicas served the other model.",
           .labels = {"node_id", "pool_id"},
           .bounds = {100, 500, 1000, 2500, 5000, 10000, 30000, 60000, 300000, 1800000}}
      )),
      adoptions_(shard_.counter(
          {.name = "engine_adopted_total",
           .help = "Engines of an earlier run of the daemon that serve again without a load.",
           .labels = {"node_id", "pool_id"}}
      )),
      restarts_(shard_.counter(
          {.name = "restart_total",
           .help = "Engine processes that were started after a failure, by what had failed.",
           .labels = {"node_id", "pool_id", "replica_id", "crash_reason"}}
      )),
      scheduled_(shard_.counter(
          {.name = "restart_scheduled_total",
           .help = "Failures after which a restart was put off, by what failed.",
           .labels = {"node_id", "pool_id", "replica_id", "crash_reason"}}
      )),
      backoff_(shard_.gauge(
          {.name = "backoff_delay_ms",
           .help = "The delay that the next start of the engine is waiting for; 0: none.",
           .labels = {"node_id", "pool_id", "replica_id"}}
      )),
      circuit_(shard_.gauge(
          {.name = "circuit_breaker_state",
           .help = "1 while the engine crash-loops and is tried rarely, else 0.",
           .labels = {"node_id", "pool_id", "replica_id"}}
      )),
      circuit_opened_(shard_.counter(
          {.name = "circuit_breaker_open_total",
           .help = "Times an engine was found to crash-loop.",
           .labels = {"node_id", "pool_id", "replica_id"}}
      )),
      cache_(shard_.gauge(
          {.name = "kv_cache_usage_ratio",
           .help = "Tokens that the engine's slots hold, of those that fit (0 to 1), as its "
                   "/slots says; no series from an engine that does not say.",
           .labels = {"node_id", "engine", "engine_version", "pool_id", "replica_id"}}
      )) {}

void SupervisorProbe::changed(
    const PoolId& pool,
    const ReplicaId& replica,
    const EngineStatus& before,
    const EngineStatus& after
) {
    const Key key(pool, replica);
    if (!serves(after.state)) {
        forget_cache(key);
    }
    if (after.ready_since && !before.ready_since) {
        const bool adopted = after.pid && after.starts == 0;
        (adopted ? adoptions_ : preloads_).with({node_, pool.str()})->add();
    }
    // An engine of somebody else is never started here, nor restarted.
    if (after.starts > 0 || after.crash) {
        count_attempt(key, before, after);
        show_circuit(key, before, after);
    }
}

void SupervisorProbe::count_attempt(
    const Key& key, const EngineStatus& before, const EngineStatus& after
) {
    const auto& [pool, replica] = key;
    if (after.starts > before.starts && after.crash) {
        restarts_.with({node_, pool.str(), replica.str(), to_string(*after.crash)})->add();
    }
    const bool failed = after.crash && waits_to_restart(after.state) && after.state != before.state;
    if (!failed) {
        return;
    }
    const std::string_view reason = to_string(*after.crash);
    scheduled_.with({node_, pool.str(), replica.str(), reason})->add();
    if (!before.ready_since) {
        failed_preloads_.with({node_, pool.str(), reason})->add();
    }
}

void SupervisorProbe::show_circuit(
    const Key& key, const EngineStatus& before, const EngineStatus& after
) {
    const auto& [pool, replica] = key;
    backoff_.with({node_, pool.str(), replica.str()})
        ->set(static_cast<double>(to_ms(after.backoff)));
    circuit_.with({node_, pool.str(), replica.str()})->set(after.circuit_open ? 1 : 0);
    if (after.circuit_open && !before.circuit_open) {
        circuit_opened_.with({node_, pool.str(), replica.str()})->add();
    }
}

void SupervisorProbe::probed(const PoolId& pool, ProbeOutcome outcome) {
    health_checks_.with({node_, pool.str(), outcome_text(outcome)})->add();
}

void SupervisorProbe::drain_began(const PoolId& pool, DrainReason reason) {
    drains_.with({node_, pool.str(), reason_text(reason)})->add();
}

void SupervisorProbe::drained(const PoolId& pool, Duration duration) {
    drain_duration_.with({node_, pool.str()})->observe(static_cast<double>(to_ms(duration)));
}

void SupervisorProbe::reloaded(const PoolId& pool, Duration duration) {
    reloads_.with({node_, pool.str()})->add();
    reload_duration_.with({node_, pool.str()})->observe(static_cast<double>(to_ms(duration)));
}

void SupervisorProbe::reload_failed(const PoolId& pool, ReloadFailure reason) {
    failed_reloads_.with({node_, pool.str(), to_string(reason)})->add();
}

void SupervisorProbe::cache_used(
    const PoolId& pool,
    const ReplicaId& replica,
    EngineFamily engine,
    std::string_view engine_version,
    double ratio
) {
    const Key key(pool, replica);
    if (const auto known = versions_.find(key);
        known != versions_.end() && known->second != engine_version) {
        forget_cache(key);
    }
    versions_[key] = engine_version;
    cache_.with({node_, to_string(engine), engine_version, pool.str(), replica.str()})->set(ratio);
}

void SupervisorProbe::forget_cache(const Key& key) {
    if (versions_.erase(key) > 0) {
        cache_.remove({{"pool_id", key.first.str()}, {"replica_id", key.second.str()}});
    }
}

}  // namespace orch::node::supervisor
