#include "control/fleet/registry_probe.hpp"

namespace orch::control::fleet {
namespace {

std::string_view outcome_of(bool success) {
    return success ? "success" : "error";
}

}  // namespace

RegistryProbe::RegistryProbe(metrics::Registry& registry)
    : registry_(registry),
      shard_(registry.add_shard()),
      registrations_(shard_.counter(
          {.name = "orchd_node_registrations_total",
           .help = "Registrations that nodes asked for.",
           .labels = {"outcome"}}
      )),
      heartbeats_(shard_.counter(
          {.name = "orchd_node_heartbeats_total",
           .help = "Heartbeats received, by node and by what became of them.",
           .labels = {"node_id", "outcome"}}
      )),
      deregistrations_(shard_.counter(
          {.name = "orchd_node_deregistrations_total",
           .help = "Nodes that left or were deleted.",
           .labels = {"outcome"}}
      )),
      nodes_online_(shard_.gauge(
          {.name = "orchd_nodes_online",
           .help = "1 while the node is Online, else 0.",
           .labels = {"node_id"}}
      )),
      pools_available_(shard_.gauge(
          {.name = "orchd_pools_available",
           .help = "1 while new work may be placed on the pool, else 0.",
           .labels = {"node_id", "pool_id"}}
      )) {
    // A counter that begins at 1 shows no rise to anybody.
    for (const bool success : {true, false}) {
        registrations_.with({outcome_of(success)});
        deregistrations_.with({outcome_of(success)});
    }
}

void RegistryProbe::registered(bool success) {
    registrations_.with({outcome_of(success)})->add();
}

void RegistryProbe::deregistered(bool success) {
    deregistrations_.with({outcome_of(success)})->add();
}

void RegistryProbe::heartbeat(const NodeId& node, bool known, std::string_view outcome) {
    heartbeats_.with({known ? node.str() : "other", outcome})->add();
}

void RegistryProbe::changed(const registry::NodeChange& change) {
    if (change.kind == registry::NodeChange::Kind::removed) {
        registry_.remove_series("node_id", change.node.str());
    }
    if (change.kind == registry::NodeChange::Kind::pool_removed) {
        registry_.remove_series({{"node_id", change.node.str()}, {"pool_id", change.pool.str()}});
    }
}

void RegistryProbe::published(const view::ClusterView& view) {
    auto shown = shown_.begin();  // both are in order of ids
    for (const view::NodeBlockPtr& node : view.nodes()) {
        while (shown != shown_.end() && *shown != node && (*shown)->id < node->id) {
            ++shown;
        }
        if (shown != shown_.end() && *shown == node) {
            ++shown;
            continue;
        }
        nodes_online_.with({node->id.str()})->set(node->status == NodeStatus::online ? 1 : 0);
        for (const view::PoolBlock& pool : node->pools) {
            const bool available = node->takes_work() && pool.ready && !pool.draining;
            pools_available_.with({node->id.str(), pool.key.pool.str()})->set(available ? 1 : 0);
        }
    }
    shown_.assign(view.nodes().begin(), view.nodes().end());
}

}  // namespace orch::control::fleet
