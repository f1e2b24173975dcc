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
    placement::SlotChoice found = choose_slot(
        *view_, request, policy_, ledger_, edge_.clock().now(), placement::Claim::newcomer
    );
    placements_.considered(found.looked_at);
    Choice choice;
    choice.all_excluded = found.all_excluded;
    choice.rejection = std::move(found.rejection);
    choice.awaited_until = found.awaited_until;
    if (found.pool != nullptr) {
        placements_.assigned(request, found.node->id, !found.wanted);
        choice.claim.emplace(dispatch_, view_, *found.node, *found.pool);
    }
    if (choice.rejection && !choice.awaited_until) {
        placements_.no_capacity(request);
    }
    return choice;
}

placement::Decision EdgeState::explain(const placement::PlacementRequest& request) const {
    const Instant now = edge_.deadlines().now();
    return decide(*view_, request, policy_, ledger_, now, placement::Explain::yes);
}

}  // namespace orch::control::gateway
