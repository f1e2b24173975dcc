#pragma once

#include "api/node_messages.hpp"

#include <cstdint>
#include <string>

namespace orch::node::enroll {

// What there is to say about the node. Asked on the control thread, right before it is sent.
class NodeStatusSource {
public:
    NodeStatusSource() = default;
    virtual ~NodeStatusSource() = default;
    NodeStatusSource(const NodeStatusSource&) = delete;
    NodeStatusSource& operator=(const NodeStatusSource&) = delete;

    // `address`: the base URL at which the control plane reaches this node.
    virtual api::RegisterRequest registration(std::string address) const = 0;
    virtual api::HeartbeatRequest heartbeat(std::uint64_t seq) const = 0;
};

}  // namespace orch::node::enroll
