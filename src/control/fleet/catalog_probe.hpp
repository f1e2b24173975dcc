#pragma once

#include "base/strong_id.hpp"
#include "metrics/registry.hpp"

#include <string>
#include <string_view>

namespace orch::control::fleet {

// The metrics of the catalog. Control thread.
class CatalogProbe {
public:
    explicit CatalogProbe(metrics::Registry& registry);

    // A node's copy was read and is what it was; or why not: digest_mismatch, unreachable or error.
    void verified(const NodeId& node);
    void verification_failed(const NodeId& node, std::string_view reason);

    // The entry's state: one of its two series is 1.
    void model_state(const std::string& id, bool retired);

    void model_removed(const std::string& id);

private:
    metrics::Shard& shard_;
    metrics::Family<metrics::Counter>& verifications_;
    metrics::Family<metrics::Gauge>& states_;
};

}  // namespace orch::control::fleet
