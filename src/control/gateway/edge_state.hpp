#pragma once

#include "control/gateway/slot_claim.hpp"
#include "control/placement/choice_ledger.hpp"
#include "control/placement/placement_policy.hpp"
#include "control/view/cluster_view.hpp"
#include "net/edge.hpp"

#include <optional>
#include <utility>

namespace orch::control::gateway {

// What one edge knows: its copy of the cluster's picture and what it chose lately. The edge's
// thread only.
class EdgeState {
public:
    EdgeState(net::Edge& edge, DispatchLoop& dispatch, placement::PlacementPolicy policy)
        : edge_(edge), dispatch_(dispatch), policy_(policy) {}

    void set_view(view::ClusterViewPtr view);

    const view::ClusterViewPtr& view() const { return view_; }

    // One look at the present view: a claimed slot, or why there is none.
    struct Choice {
        std::optional<SlotClaim> claim;
        placement::Decision decision;
    };

    Choice choose(const placement::PlacementRequest& request);

    // The same look with a text per pool, and without claiming.
    placement::Decision explain(const placement::PlacementRequest& request) const;

    net::Edge& edge() { return edge_; }

private:
    net::Edge& edge_;
    DispatchLoop& dispatch_;
    placement::PlacementPolicy policy_;
    placement::ChoiceLedger ledger_;
    view::ClusterViewPtr view_ = std::make_shared<view::ClusterView>();
};

}  // namespace orch::control::gateway
