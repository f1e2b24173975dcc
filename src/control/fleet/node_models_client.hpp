#pragma once

#include "api/operation.hpp"
#include "auth/live_auth.hpp"
#include "base/result.hpp"
#include "net/http_call.hpp"

#include <string>

// Calls to a node's model store, from whatever loop `clients` belongs to.
namespace orch::control::fleet {

class NodeModelsClient {
public:
    // `token` is sent to nodes; empty = none.
    NodeModelsClient(net::ClientPool& clients, const auth::OutboundToken& token)
        : clients_(clients), token_(token) {}

    // POST, answered with an operation. Errors: the node's, or node_unavailable.
    Task<Result<api::Operation>> begin(std::string address, std::string path, std::string body);

    // GET /v2/operations/{id}. Errors: the node's, or node_unavailable.
    Task<Result<api::Operation>> follow(std::string address, std::string id);

    // DELETE /v2/models/{id}; one that is not there is gone too. Errors: the node's, or
    // node_unavailable.
    Task<Result<void>> remove(std::string address, std::string id);

private:
    Task<Result<std::string>> call(
        net::Method method, std::string address, std::string path, std::string body
    );

    net::ClientPool& clients_;
    const auth::OutboundToken& token_;
};

}  // namespace orch::control::fleet
