#pragma once

#include "async/async_clock.hpp"
#include "auth/live_auth.hpp"
#include "base/strong_id.hpp"
#include "control/view/node_block.hpp"
#include "net/client_pool.hpp"

#include <string>

namespace orch::control::fleet {

struct Reachability {
    bool reachable = false;
    std::string reason;  // why not
};

// Tells whether a node answers at the address that it advertised. Control thread.
class NodeCheck {
public:
    NodeCheck() = default;
    virtual ~NodeCheck() = default;
    NodeCheck(const NodeCheck&) = delete;
    NodeCheck& operator=(const NodeCheck&) = delete;

    virtual Task<Reachability> check(NodeId node, view::Endpoint endpoint) = 0;
};

// Asks the address that a node advertised for `GET /v2/node`, 2 s at most: only the same node may
// answer. An earlier node does not know that path (404) and is asked for `/health`. Control thread.
class ReachabilityCheck final : public NodeCheck {
public:
    ReachabilityCheck(net::ClientPool& clients, const auth::OutboundToken& token)
        : clients_(clients), token_(token) {}

    Task<Reachability> check(NodeId node, view::Endpoint endpoint) override;

private:
    net::ClientPool& clients_;
    const auth::OutboundToken& token_;
};

}  // namespace orch::control::fleet
