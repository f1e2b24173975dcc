#pragma once

#include "base/clock.hpp"

#include <chrono>

namespace orch::control::registry {

// All of it may change while the program runs, but for what says otherwise.
struct RegistryConfig {
    Duration node_timeout = std::chrono::seconds(30);  // silence after which a node is Offline
    Duration heartbeat_interval = std::chrono::seconds(10);  // what nodes are told to keep
    Duration forget_after = std::chrono::hours(24);          // Offline for so long: forgotten
    bool approve_nodes =
        false;          // new nodes get no work until they are approved; fixed at the start
    bool home = false;  // one node of our own: the warm-up ends with its first report
};

}  // namespace orch::control::registry
