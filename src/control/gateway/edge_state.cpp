#include "control/gateway/edge_state.hpp"

namespace orch::control::gateway {

void EdgeState::set_view(view::ClusterViewPtr view) {
    view_ = std::move(view);
    ledger_.retain(*view_);
    for (const Visit* const visit : visits_) {
        const view::NodeBlock* const node = view_->find_node(visit->node_);
        if (node == nullptr || !node->online) {
            visit->on_lost_();
        }
    }
}

EdgeState::Visit::Visit(EdgeState& edge, NodeId node, std::function<void()> on_lost)
    : edge_(edge), node_(std::move(node)), on_lost_(std::move(on_lost)) {
    place_ = edge_.visits_.insert(edge_.visits_.end(), this);
}

EdgeState::Visit::~Visit() {
    edge_.visits_.erase(place_);
}

EdgeState::Choice EdgeState::choose(const placement::PlacementRequest& request) {
    Choice choice;
    choice.decision = decide(*view_, request, policy_, ledger_, edge_.clock().now());
    placements_.considered(choice.decision);
    const placement::Candidate* const taken =
        take_first(choice.decision, [](const placement::Candidate& candidate) {
            return candidate.pool->cell->try_claim();
        });
    if (taken != nullptr) {
        ledger_.chosen(*taken->pool->cell);
        placements_.assigned(request, taken->node->id, !taken->wanted);
        choice.claim.emplace(dispatch_, view_, *taken->node, *taken->pool);
    }
    if (choice.decision.rejection) {
        placements_.no_capacity(request);
    }
    return choice;
}

placement::Decision EdgeState::explain(const placement::PlacementRequest& request) const {
    const Instant now = edge_.deadlines().now();
    return decide(*view_, request, policy_, ledger_, now, placement::Explain::yes);
}

}  // namespace orch::control::gateway
