#include "control/gateway/placement_probe.hpp"

#include <string_view>
#include <utility>

namespace orch::control::gateway {
namespace {

std::shared_ptr<metrics::Gauge> make_candidates_gauge(metrics::Registry& registry) {
    return registry.add_shard()
        .gauge(
            {.name = "placement_candidates_considered",
             .help = "Pools that serve the model, in any state, at the last decision."}
        )
        .with({});
}

std::string_view text_of(bool value) {
    return value ? "true" : "false";
}

}  // namespace

PlacementProbe::PlacementProbe(metrics::Registry& registry)
    : PlacementProbe(registry.add_shard(), make_candidates_gauge(registry)) {}

PlacementProbe::PlacementProbe(metrics::Registry& registry, const PlacementProbe& first)
    : PlacementProbe(registry.add_shard(), first.candidates_) {}

PlacementProbe::PlacementProbe(metrics::Shard& shard, std::shared_ptr<metrics::Gauge> candidates)
    : decisions_(shard.counter(
          {.name = "placement_decisions_total",
           .help = "Requests that were given a slot, by node, or none.",
           .labels = {"outcome", "pinned", "fallback", "node_id"}}
      )),
      candidates_(std::move(candidates)) {}

void PlacementProbe::considered(std::uint32_t pools) {
    candidates_->set(pools);
}

void PlacementProbe::assigned(
    const placement::PlacementRequest& request, const NodeId& node, bool fallback
) {
    decisions_.with({"assigned", text_of(request.pinned()), text_of(fallback), node.str()})->add();
}

void PlacementProbe::no_capacity(const placement::PlacementRequest& request) {
    decisions_.with({"no_capacity", text_of(request.pinned()), "false", ""})->add();
}

}  // namespace orch::control::gateway
