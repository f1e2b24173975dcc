#pragma once

#include "base/clock.hpp"
#include "base/enums.hpp"
#include "base/strong_id.hpp"
#include "metrics/registry.hpp"
#include "node/lifecycle/engine_events.hpp"
#include "node/lifecycle/engine_fsm.hpp"

#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace orch::node::supervisor {

enum class DrainReason {
    request,   // somebody asked for it
    reload,    // it goes over to another model
    shutdown,  // the daemon stops
};

// Why a pool did not go over to another model.
enum class ReloadFailure {
    drain_timeout,  // its work did not end in time; nothing was ended
    start_failed,   // the model did not serve; the pool is back at the one before
    stopped,        // the daemon stops
};

// The text of the metric's label.
std::string_view to_string(ReloadFailure failure);

// The metrics of engines: their starts, drains, failures, probes and caches. The node's control
// thread.
class SupervisorProbe {
public:
    SupervisorProbe(metrics::Registry& registry, const NodeId& node);

    // A replica's machine took an event in.
    void changed(
        const PoolId& pool,
        const ReplicaId& replica,
        const lifecycle::EngineStatus& before,
        const lifecycle::EngineStatus& after
    );

    // A replica was asked for its health.
    void probed(const PoolId& pool, lifecycle::ProbeOutcome outcome);

    // A pool gets nothing new any more.
    void drain_began(const PoolId& pool, DrainReason reason);

    // The last engine of a pool that drained has ended, so long after the drain began.
    void drained(const PoolId& pool, Duration duration);

    // All replicas of a pool serve another model, so long after the reload began.
    void reloaded(const PoolId& pool, Duration duration);

    void reload_failed(const PoolId& pool, ReloadFailure reason);

    // How full the contexts of a replica that serves are, 0 to 1, as it says itself.
    void cache_used(
        const PoolId& pool,
        const ReplicaId& replica,
        EngineFamily engine,
        std::string_view engine_version,
        double ratio
    );

private:
    using Key = std::pair<PoolId, ReplicaId>;

    void count_attempt(
        const Key& key, const lifecycle::EngineStatus& before, const lifecycle::EngineStatus& after
    );
    void show_circuit(
        const Key& key, const lifecycle::EngineStatus& before, const lifecycle::EngineStatus& after
    );
    void forget_cache(const Key& key);

    std::string node_;
    metrics::Shard& shard_;
    metrics::Family<metrics::Counter>& health_checks_;
    metrics::Family<metrics::Counter>& preloads_;
    metrics::Family<metrics::Counter>& failed_preloads_;
    metrics::Family<metrics::Counter>& drains_;
    metrics::Family<metrics::Histogram>& drain_duration_;
    metrics::Family<metrics::Counter>& reloads_;
    metrics::Family<metrics::Counter>& failed_reloads_;
    metrics::Family<metrics::Histogram>& reload_duration_;
    metrics::Family<metrics::Counter>& adoptions_;
    metrics::Family<metrics::Counter>& restarts_;
    metrics::Family<metrics::Counter>& scheduled_;
    metrics::Family<metrics::Gauge>& backoff_;
    metrics::Family<metrics::Gauge>& circuit_;
    metrics::Family<metrics::Counter>& circuit_opened_;
    metrics::Family<metrics::Gauge>& cache_;
    std::map<Key, std::string> versions_;  // of the series in cache_
};

}  // namespace orch::node::supervisor
