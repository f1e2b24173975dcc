#pragma once

#include "base/strong_id.hpp"
#include "control/fleet/node_status_client.hpp"

#include <string>

namespace orch::control::fleet {

struct Reachability {
    bool reachable = false;
    std::string reason;  // why not
};

// Whether it was `node` that answered: only the same node may stand at the address it advertises,
// and one of the earlier wire format does not say who it is. Pure.
Reachability judge_answer(
    const NodeId& node, const view::Endpoint& endpoint, const StatusAnswer& answer
);

// Tells whether a node answers at the address that it advertised. Control thread.
class NodeCheck {
public:
    NodeCheck() = default;
    virtual ~NodeCheck() = default;
    NodeCheck(const NodeCheck&) = delete;
    NodeCheck& operator=(const NodeCheck&) = delete;

    virtual Task<Reachability> check(NodeId node, view::Endpoint endpoint) = 0;
};

// Asks the address how it is, and judges the answer. Control thread.
class ReachabilityCheck final : public NodeCheck {
public:
    explicit ReachabilityCheck(NodeStatusSource& source) : source_(source) {}

    Task<Reachability> check(NodeId node, view::Endpoint endpoint) override;

private:
    NodeStatusSource& source_;
};

}  // namespace orch::control::fleet
