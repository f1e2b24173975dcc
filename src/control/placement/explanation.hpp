#pragma once

#include "control/placement/decision.hpp"
#include "control/placement/placement_request.hpp"
#include "control/view/cluster_view.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <vector>

// The sentences of a decision, for errors and previews. Made only when somebody will read them.
namespace orch::control::placement {

// No more pools than these are explained: what an error body of a large cluster can bear.
inline constexpr std::size_t kMostExplained = 100;

// "node 'a' is Offline". Requires: the node takes no work.
std::string why_node(const view::NodeBlock& node);

// "pool 'p' of node 'a' is not ready: the engine ended". Requires: it is not, or it is draining.
std::string why_pool(const view::PoolBlock& pool);

// The model's name as far as a message may carry a client's text; "" without one.
std::string echo_model(const PlacementRequest& request);

// Pools of the cluster, each with every reason for or against it: the ranked ones first and in
// their order, then those of `refs`, which serve the model, then the others.
std::vector<Considered> explain_pools(
    const view::ClusterView& view,
    const PlacementRequest& request,
    std::span<const view::PoolRef> refs,
    std::span<const Candidate> ranked
);

}  // namespace orch::control::placement
