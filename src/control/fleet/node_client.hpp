#pragma once

#include "api/fleet_messages.hpp"
#include "api/node_views.hpp"
#include "api/operation.hpp"
#include "auth/live_auth.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/strong_id.hpp"
#include "net/http_call.hpp"

#include <string>

// Calls to a node's models and pools, from whatever loop `clients` belongs to.
namespace orch::control::fleet {

// Has a node change one of its pools. Each answers with the pool as it is then.
// Errors: the node's, or node_unavailable.
class NodePools {
public:
    NodePools() = default;
    virtual ~NodePools() = default;
    NodePools(const NodePools&) = delete;
    NodePools& operator=(const NodePools&) = delete;

    virtual Task<Result<api::PoolStatus>> preload(std::string address, PoolId pool) = 0;
    virtual Task<Result<api::PoolStatus>> drain(
        std::string address, PoolId pool, Duration limit
    ) = 0;
    virtual Task<Result<api::PoolStatus>> reload(
        std::string address, PoolId pool, api::PoolReloadRequest message
    ) = 0;
};

// Does it over HTTP.
class NodeClient final : public NodePools {
public:
    // `token` is sent to nodes; empty = none.
    NodeClient(net::ClientPool& clients, const auth::OutboundToken& token)
        : clients_(clients), token_(token) {}

    // POST, answered with an operation. Errors: the node's, or node_unavailable.
    Task<Result<api::Operation>> begin(std::string address, std::string path, std::string body);

    // GET /v2/operations/{id}. Errors: the node's, or node_unavailable.
    Task<Result<api::Operation>> follow(std::string address, std::string id);

    // DELETE /v2/models/{id}; one that is not there is gone too. Errors: the node's, or
    // node_unavailable.
    Task<Result<void>> remove(std::string address, std::string id);

    Task<Result<api::PoolStatus>> preload(std::string address, PoolId pool) override;
    Task<Result<api::PoolStatus>> drain(std::string address, PoolId pool, Duration limit) override;
    Task<Result<api::PoolStatus>> reload(
        std::string address, PoolId pool, api::PoolReloadRequest message
    ) override;

private:
    Task<Result<api::PoolStatus>> change_pool(
        std::string address, std::string path, std::string body
    );
    Task<Result<std::string>> call(
        net::Method method, std::string address, std::string path, std::string body
    );

    net::ClientPool& clients_;
    const auth::OutboundToken& token_;
};

}  // namespace orch::control::fleet
