#include "control/fleet/reachability.hpp"

#include <fmt/format.h>

#include <utility>
#include <vector>

namespace orch::control::fleet {

Reachability judge_answer(
    const NodeId& node, const view::Endpoint& endpoint, const StatusAnswer& answer
) {
    if (answer.outcome != StatusAnswer::Outcome::success) {
        return {false, answer.reason};
    }
    if (answer.body && answer.body->node_id != node) {
        const HostPort address{endpoint.host, endpoint.port};
        return {
            false,
            fmt::format(
                "{}: another node answers there: {}", to_string(address), answer.body->node_id.str()
            ),
        };
    }
    return {true, {}};
}

Task<Reachability> ReachabilityCheck::check(NodeId node, view::Endpoint endpoint) {
    std::vector<PoolId> no_pools;
    const StatusAnswer answer = co_await source_.ask(endpoint, std::move(no_pools));
    co_return judge_answer(node, endpoint, answer);
}

}  // namespace orch::control::fleet
