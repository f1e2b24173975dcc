#include "control/app/refusals.hpp"

#include "net/route_table.hpp"

#include <string_view>

namespace orch::control::app {
namespace {

// The registry itself answers 200, 404 and 409, and counts them.
bool refused_before_registry(int status) {
    return status >= 400 && status != 404 && status != 409;
}

}  // namespace

void count_refusal(
    const net::Exchange& exchange, async::EventLoop& control, fleet::RegistryBackend& registry
) {
    if (exchange.route() == nullptr || !refused_before_registry(exchange.status())) {
        return;
    }
    const std::string_view path = exchange.route()->path;
    if (path == "/v2/nodes/register") {
        control.post([&registry] { registry.refused_registration(); });
    } else if (path == "/v2/nodes/{id}/heartbeat") {
        const char* const outcome = exchange.status() == 401 ? "unauthorized" : "invalid";
        control.post([&registry, outcome, node = NodeId(exchange.param("id"))] {
            registry.refused_heartbeat(node, outcome);
        });
    }
}

}  // namespace orch::control::app
