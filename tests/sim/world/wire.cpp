#include "sim/world/wire.hpp"

#include "sim/world/control_plane.hpp"

namespace orch::sim::world {

void send_to_edge(Hub& hub, const std::shared_ptr<Call>& call, WireEvent event) {
    hub.network.send(call->stream, call->node, Way::to_control, [&hub, call, event] {
        if (hub.control) {
            hub.control->deliver(call, event);
        }
    });
}

}  // namespace orch::sim::world
