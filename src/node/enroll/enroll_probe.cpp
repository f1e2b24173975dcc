#include "node/enroll/enroll_probe.hpp"

namespace orch::node::enroll {
namespace {

std::string_view to_string(RegisterOutcome outcome) {
    switch (outcome) {
        case RegisterOutcome::accepted:
            return "success";
        case RegisterOutcome::conflict:
            return "conflict";
        case RegisterOutcome::refused:
            return "refused";
        case RegisterOutcome::unreachable:
            return "unreachable";
    }
    return "refused";
}

std::string_view to_string(HeartbeatOutcome outcome) {
    switch (outcome) {
        case HeartbeatOutcome::accepted:
            return "success";
        case HeartbeatOutcome::moved:
            return "moved";
        case HeartbeatOutcome::unknown_node:
            return "unknown_node";
        case HeartbeatOutcome::refused:
            return "refused";
        case HeartbeatOutcome::unreachable:
            return "unreachable";
    }
    return "refused";
}

}  // namespace

EnrollProbe::EnrollProbe(metrics::Registry& registry, const NodeId& node)
    : node_(node.str()),
      registrations_(registry.add_shard().counter(
          {.name = "pool_registration_attempts_total",
           .help = "Registrations that were answered, or could not be: success, conflict, refused "
                   "or unreachable.",
           .labels = {"node_id", "outcome"}}
      )),
      beats_(registry.add_shard().counter(
          {.name = "pool_heartbeat_sent_total",
           .help = "Heartbeats that were answered, or could not be: success, unknown_node, refused "
                   "or unreachable.",
           .labels = {"node_id", "outcome"}}
      )) {}

void EnrollProbe::registered(RegisterOutcome outcome) {
    registrations_.with({node_, to_string(outcome)})->add();
}

void EnrollProbe::beat(HeartbeatOutcome outcome) {
    if (outcome == HeartbeatOutcome::moved) {
        return;
    }
    beats_.with({node_, to_string(outcome)})->add();
}

}  // namespace orch::node::enroll
