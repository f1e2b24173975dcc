#include "control/fleet/poll_probe.hpp"

#include <chrono>

namespace orch::control::fleet {

PollProbe::PollProbe(metrics::Registry& registry)
    : shard_(registry.add_shard()),
      checks_(shard_.counter(
          {.name = "orchd_pool_health_checks_total",
           .help = "Times a pool's state was asked of its node, by what came of it.",
           .labels = {"node_id", "pool_id", "outcome"}}
      )),
      duration_(shard_.histogram(
          // Dense around 100 ms: above it a check is slow.
          {.name = "orchd_pool_health_check_duration_ms",
           .help = "Milliseconds until a node told its pools' state, or failed to.",
           .labels = {"node_id", "pool_id"},
           .bounds = {1, 2, 5, 10, 25, 50, 75, 90, 100, 110, 125, 150, 250, 500, 1000, 2000}}
      )) {}

void PollProbe::polled(const PoolKey& pool, std::string_view outcome, Duration took) {
    using Milliseconds = std::chrono::duration<double, std::milli>;
    checks_.with({pool.node.str(), pool.pool.str(), outcome})->add();
    duration_.with({pool.node.str(), pool.pool.str()})->observe(Milliseconds(took).count());
}

void PollProbe::pool_removed(const PoolKey& pool) {
    checks_.remove({{"node_id", pool.node.str()}, {"pool_id", pool.pool.str()}});
    duration_.remove({{"node_id", pool.node.str()}, {"pool_id", pool.pool.str()}});
}

}  // namespace orch::control::fleet
