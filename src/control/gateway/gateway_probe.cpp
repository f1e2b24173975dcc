#include "control/gateway/gateway_probe.hpp"

namespace orch::control::gateway {

using admission::Priority;

GatewayProbe::GatewayProbe(metrics::Registry& registry)
    : shard_(registry.add_shard()),
      enqueued_(shard_.counter(
          {.name = "tasks_enqueued_total",
           .help =
               "Requests and tasks that were admitted, to a slot or to a queue, by served name.",
           .labels = {"model", "priority"}}
      )),
      started_(shard_.counter(
          {.name = "tasks_started_total",
           .help = "Requests and tasks that a pool took; one that moves on is counted once.",
           .labels = {"engine", "engine_version", "node_id", "pool_id", "priority"}}
      )),
      canceled_(shard_.counter(
          {.name = "tasks_canceled_total",
           .help = "Requests and tasks whose caller left before the end; no pool: in the queue.",
           .labels = {"engine", "engine_version", "node_id", "pool_id", "reason"}}
      )),
      rejected_(shard_.counter(
          {.name = "tasks_rejected_total",
           .help = "Requests and tasks that ended with an error before a pool took them, by code.",
           .labels = {"reason"}}
      )),
      second_tries_(shard_.counter(
          {.name = "orchd_second_tries_total",
           .help = "Requests tried again elsewhere after a place failed them, before their answer "
                   "began (retry) or in its middle (continuation), and those that were not.",
           .labels = {"kind", "outcome"}}
      )) {}

void GatewayProbe::enqueued(std::string_view model, Priority priority) {
    enqueued_.with({model, to_string(priority)})->add();
}

void GatewayProbe::started(const view::PoolBlock& pool, Priority priority) {
    started_
        .with(
            {to_string(pool.engine),
             pool.engine_version,
             pool.key.node.str(),
             pool.key.pool.str(),
             to_string(priority)}
        )
        ->add();
}

void GatewayProbe::canceled(const view::PoolBlock* pool, std::string_view reason) {
    if (pool == nullptr) {
        canceled_.with({"", "", "", "", reason})->add();
        return;
    }
    canceled_
        .with(
            {to_string(pool->engine),
             pool->engine_version,
             pool->key.node.str(),
             pool->key.pool.str(),
             reason}
        )
        ->add();
}

void GatewayProbe::second_try(std::string_view kind, std::string_view outcome) {
    second_tries_.with({kind, outcome})->add();
}

void GatewayProbe::rejected(Errc reason) {
    rejected_.with({wire_name(reason)})->add();
}

}  // namespace orch::control::gateway
