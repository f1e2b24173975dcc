#include "control/registry/node_change.hpp"

namespace orch::control::registry {

std::string_view to_string(NodeChange::Kind kind) {
    using enum NodeChange::Kind;
    switch (kind) {
        case registered:
            return "registered";
        case expected:
            return "expected";
        case online:
            return "online";
        case offline:
            return "offline";
        case pending:
            return "pending";
        case approved:
            return "approved";
        case draining:
            return "draining";
        case uncordoned:
            return "uncordoned";
        case failed:
            return "failed";
        case recovered:
            return "recovered";
        case reachable:
            return "reachable";
        case unreachable:
            return "unreachable";
        case pool_added:
            return "pool_added";
        case pool_ready:
            return "pool_ready";
        case pool_unready:
            return "pool_unready";
        case pool_removed:
            return "pool_removed";
        case removed:
            return "removed";
    }
    return "unknown";
}

}  // namespace orch::control::registry
