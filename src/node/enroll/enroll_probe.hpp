#pragma once

#include "base/strong_id.hpp"
#include "metrics/registry.hpp"
#include "node/enroll/enroll_events.hpp"

#include <string>

namespace orch::node::enroll {

// The metrics of joining control planes; those of all of them together. The node's control thread.
class EnrollProbe {
public:
    EnrollProbe(metrics::Registry& registry, const NodeId& node);

    void registered(RegisterOutcome outcome);

    // `moved` was not sent and does not count.
    void beat(HeartbeatOutcome outcome);

private:
    std::string node_;
    metrics::Family<metrics::Counter>& registrations_;
    metrics::Family<metrics::Counter>& beats_;
};

}  // namespace orch::node::enroll
