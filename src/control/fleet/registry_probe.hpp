#pragma once

#include "base/result.hpp"
#include "control/registry/node_change.hpp"
#include "control/registry/node_table.hpp"
#include "control/view/cluster_view.hpp"
#include "metrics/registry.hpp"

#include <string_view>
#include <vector>

namespace orch::control::fleet {

// The metrics of registration, heartbeats and who is there. Control thread.
class RegistryProbe {
public:
    explicit RegistryProbe(metrics::Registry& registry);

    void registered(bool success);
    void deregistered(bool success);

    // Outcome: success, stale, unknown_node, unauthorized or invalid. Only a node that is known
    // gets a series of its own.
    void heartbeat(const NodeId& node, bool known, std::string_view outcome);

    void changed(const registry::NodeChange& change);

    // What each node and pool is worth now: 1 or 0 per series.
    void published(const view::ClusterView& view);

private:
    metrics::Registry& registry_;
    metrics::Shard& shard_;
    metrics::Family<metrics::Counter>& registrations_;
    metrics::Family<metrics::Counter>& heartbeats_;
    metrics::Family<metrics::Counter>& deregistrations_;
    metrics::Family<metrics::Gauge>& nodes_online_;
    metrics::Family<metrics::Gauge>& pools_available_;
    std::vector<view::NodeBlockPtr> shown_;  // whose gauges are as the last picture had them
};

}  // namespace orch::control::fleet
