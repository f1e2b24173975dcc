#pragma once

#include "base/strong_id.hpp"

#include <string>
#include <string_view>

namespace orch::control::registry {

// What happened to the table, for logs, metrics and whoever must act on it.
struct NodeChange {
    enum class Kind {
        registered,    // a node is known now, or its daemon has started anew
        expected,      // added by hand, and has not answered yet; detail: its URL
        online,        // first heartbeat, or the first one after silence
        offline,       // its deadline passed
        pending,       // heard, and waits for approval
        approved,      // no longer pending
        draining,      // cordoned: no new work
        uncordoned,    // takes work again
        failed,        // every pool crash-loops
        recovered,     // no longer failed
        reachable,     // its address answered as this node
        unreachable,   // detail: the reason
        pool_added,    // a pool appeared, or serves other models than before
        pool_ready,    // may be placed on
        pool_unready,  // not ready any more; detail: the node's last_error
        pool_removed,  // gone from its node
        removed,       // the node left, was deleted or is forgotten; detail says which
    };

    Kind kind;
    NodeId node;
    PoolId pool;  // of the pool_ kinds
    std::string detail;
    MachineId machine{};  // the node's
};

// "pool_ready" for Kind::pool_ready.
std::string_view to_string(NodeChange::Kind kind);

}  // namespace orch::control::registry
