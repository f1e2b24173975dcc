#pragma once

#include "control/gateway/gateway_probe.hpp"
#include "control/gateway/placement_probe.hpp"
#include "control/gateway/retry_budget.hpp"
#include "control/gateway/slot_claim.hpp"
#include "control/placement/choice_ledger.hpp"
#include "control/placement/placement_policy.hpp"
#include "control/placement/slot_choice.hpp"
#include "control/view/cluster_view.hpp"
#include "control/view/retired_models.hpp"
#include "net/edge.hpp"

#include <functional>
#include <list>
#include <optional>
#include <utility>

namespace orch::control::gateway {

// What one edge knows: its copy of the cluster's picture and what it chose lately. The edge's
// thread only.
class EdgeState {
public:
    EdgeState(
        net::Edge& edge,
        DispatchLoop& dispatch,
        placement::PlacementPolicy policy,
        PlacementProbe placements,
        metrics::Registry& metrics
    )
        : edge_(edge),
          dispatch_(dispatch),
          policy_(std::move(policy)),
          placements_(std::move(placements)),
          probe_(metrics),
          ledger_(policy_.seed + edge.index() + 1) {}

    void set_policy(placement::PlacementPolicy policy) { policy_ = std::move(policy); }

    void set_retired(view::RetiredModelsPtr retired) { retired_ = std::move(retired); }

    const view::RetiredModels& retired() const { return *retired_; }

    // Tells the requests of nodes that are offline now.
    void set_view(view::ClusterViewPtr view);

    // A request that is with a node, for as long as this lives: `on_lost` is called whenever a
    // picture shows that node as silent or gone.
    class Visit {
    public:
        Visit(EdgeState& edge, NodeId node, std::function<void()> on_lost);
        ~Visit();
        Visit(const Visit&) = delete;
        Visit& operator=(const Visit&) = delete;

    private:
        friend class EdgeState;

        EdgeState& edge_;
        NodeId node_;
        std::function<void()> on_lost_;
        std::list<Visit*>::iterator place_;
    };

    const view::ClusterViewPtr& view() const { return view_; }

    // One look at the present view: a claimed slot, or why there is none; nothing of all that when
    // every pool that may serve the request is full.
    struct Choice {
        std::optional<SlotClaim> claim;
        std::optional<Error> rejection;
        std::optional<Instant> awaited_until{};  // as placement::SlotChoice
        bool all_excluded = false;               // as placement::SlotChoice
    };

    Choice choose(const placement::PlacementRequest& request);

    // The same look with a text per pool, and without claiming.
    placement::Decision explain(const placement::PlacementRequest& request) const;

    net::Edge& edge() { return edge_; }

    PlacementProbe& placements() { return placements_; }

    GatewayProbe& probe() { return probe_; }

    RetryBudget& retries() { return retries_; }

private:
    net::Edge& edge_;
    DispatchLoop& dispatch_;
    placement::PlacementPolicy policy_;
    PlacementProbe placements_;
    GatewayProbe probe_;
    placement::ChoiceLedger ledger_;
    RetryBudget retries_;
    std::list<Visit*> visits_;
    view::ClusterViewPtr view_ = std::make_shared<view::ClusterView>();
    view::RetiredModelsPtr retired_ = std::make_shared<view::RetiredModels>();
};

}  // namespace orch::control::gateway
