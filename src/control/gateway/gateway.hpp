#pragma once

#include "control/gateway/edge_state.hpp"
#include "control/gateway/inference_run.hpp"
#include "control/view/retired_models.hpp"
#include "net/route_table.hpp"

#include <memory>
#include <string>
#include <vector>

namespace orch::control::gateway {

// The data path of the control plane: reads what an inference request asks for and runs it. One
// EdgeState per edge; handlers run on the edge that their connection belongs to.
class Gateway {
public:
    Gateway(
        const std::vector<net::Edge*>& edges,
        GatewayContext context,
        placement::PlacementPolicy policy,
        metrics::Registry& metrics
    );

    // POST /v1/chat/completions, /v1/completions, /v1/embeddings and /v1/rerank.
    void add_routes(net::RouteTable& routes);

    // Carries a request that has its slot already, for whoever asked. That edge's thread.
    Task<void> carry(
        net::Edge& edge,
        Caller& caller,
        placement::PlacementRequest request,
        admission::Priority priority,
        Grant grant
    );

    // Hands the picture to every edge. Control thread.
    void publish(const view::ClusterViewPtr& view);

    // For requests that are placed from now on. Any thread.
    void set_policy(const placement::PlacementPolicy& policy);

    // For requests that come from now on. Any thread.
    void set_retired(const view::RetiredModelsPtr& retired);

    // The edge's present picture. That edge's thread.
    const view::ClusterViewPtr& view_of(const net::Edge& edge) const;

private:
    Task<void> serve(net::Exchange& exchange, ModelKind kind);
    Task<void> refuse(net::Exchange& exchange, Error error);
    void tell_model(net::Exchange& exchange, const std::string& model);

    GatewayContext context_;
    std::vector<std::unique_ptr<EdgeState>> edges_;
};

}  // namespace orch::control::gateway
