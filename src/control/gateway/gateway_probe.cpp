#include "control/gateway/gateway_probe.hpp"

#include <chrono>

namespace orch::control::gateway {

using admission::Priority;

namespace {

// It is the queue that refuses, and not the lack of a place.
bool of_admission(Errc reason) {
    return reason == Errc::admission_reject || reason == Errc::queue_full_drop_lru ||
           reason == Errc::deadline_unmet || reason == Errc::quota_exceeded;
}

}  // namespace

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
      )),
      admissions_(shard_.counter(
          {.name = "orchd_admission_enqueued_total",
           .help = "Requests and tasks that asked for admission: success, or error when the queue "
                   "refused them.",
           .labels = {"outcome"}}
      )),
      refusals_(shard_.counter(
          {.name = "orchd_admission_rejected_total",
           .help = "Requests and tasks that the queue refused or let wait for too long, by code.",
           .labels = {"reason"}}
      )),
      dispatches_(shard_.counter(
          {.name = "orchd_tasks_dispatched_total",
           .help = "Times a request or task was sent to a pool: it was taken, or the place failed.",
           .labels = {"node_id", "pool_id", "outcome"}}
      )),
      latency_(shard_.histogram(
          {.name = "orchd_dispatch_latency_ms",
           .help = "Milliseconds from a request's or task's arrival until it had a slot of the "
                   "pool that took it.",
           .labels = {"node_id", "pool_id"},
           .bounds = {1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000}}
      )) {}

void GatewayProbe::enqueued(std::string_view model, Priority priority) {
    enqueued_.with({model, to_string(priority)})->add();
    admissions_.with({"success"})->add();
}

void GatewayProbe::started(const view::PoolBlock& pool, Priority priority, Duration waited) {
    using Milliseconds = std::chrono::duration<double, std::milli>;
    latency_.with({pool.key.node.str(), pool.key.pool.str()})
        ->observe(Milliseconds(waited).count());
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

void GatewayProbe::dispatched(const PoolKey& pool, bool success) {
    dispatches_.with({pool.node.str(), pool.pool.str(), success ? "success" : "error"})->add();
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
    if (of_admission(reason)) {
        admissions_.with({"error"})->add();
        refusals_.with({wire_name(reason)})->add();
    }
}

}  // namespace orch::control::gateway
