#pragma once

#include "base/clock.hpp"
#include "base/strong_id.hpp"
#include "metrics/registry.hpp"

#include <string>

namespace orch::node::handoff {

// The metrics of handoff files. The node's control thread.
class HandoffProbe {
public:
    HandoffProbe(metrics::Registry& registry, const NodeId& node);

    // The node has this pool: its series begin, so that their first change can be seen.
    void expect(const PoolId& pool);

    // The folder was looked through.
    void scanned(WallTime at);

    // An engine was bound to its pool, `age` after its file was last changed.
    void taken_in(const PoolId& pool, Duration age);

    // A readable file whose engine does not fit its pool, or is run by the node itself elsewhere.
    // Its pool may be one that nobody has: counted under `other`.
    void refused();

    // Not readable as a handoff file; nobody knows for which pool.
    void malformed();

    // Of a scheme that is somebody else's.
    void ignored();

private:
    void count(std::string_view pool, std::string_view outcome);

    std::string node_;
    metrics::Shard& shard_;
    metrics::Family<metrics::Counter>& files_;
    metrics::Family<metrics::Histogram>& duration_;
    metrics::Family<metrics::Gauge>& last_scan_;
};

}  // namespace orch::node::handoff
