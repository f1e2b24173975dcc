#include "control/fleet/load_probe.hpp"

namespace orch::control::fleet {

LoadProbe::LoadProbe(metrics::Registry& registry)
    : shard_(registry.add_shard()),
      loads_(shard_.counter(
          {.name = "orchd_pool_loads_total",
           .help = "Loads of a pool at rest that were asked for because requests wait for it, by "
                   "what its node said.",
           .labels = {"node_id", "pool_id", "outcome"}}
      )) {}

void LoadProbe::asked(const PoolKey& pool, std::string_view outcome) {
    loads_.with({pool.node.str(), pool.pool.str(), outcome})->add();
}

}  // namespace orch::control::fleet
