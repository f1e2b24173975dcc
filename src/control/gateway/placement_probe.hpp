#pragma once

#include "base/strong_id.hpp"
#include "control/placement/placement_request.hpp"
#include "metrics/registry.hpp"

#include <cstdint>
#include <memory>

namespace orch::control::gateway {

// What placement decides. One per thread that places.
class PlacementProbe {
public:
    explicit PlacementProbe(metrics::Registry& registry);

    // For a further thread. A gauge that is set belongs in one shard: `first` has it.
    PlacementProbe(metrics::Registry& registry, const PlacementProbe& first);

    // A decision was made, and may have to wait for a slot. `pools`: how many serve the model.
    void considered(std::uint32_t pools);

    // It ended with a slot. `fallback`: neither pinned nor preferred, and taken all the same.
    void assigned(const placement::PlacementRequest& request, const NodeId& node, bool fallback);

    // It ended without: nothing fits, or the queue was full or too slow.
    void no_capacity(const placement::PlacementRequest& request);

private:
    PlacementProbe(metrics::Shard& shard, std::shared_ptr<metrics::Gauge> candidates);

    metrics::Family<metrics::Counter>& decisions_;
    std::shared_ptr<metrics::Gauge> candidates_;
};

}  // namespace orch::control::gateway
