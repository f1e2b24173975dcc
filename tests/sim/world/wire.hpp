#pragma once

#include "base/errc.hpp"
#include "sim/world/hub.hpp"

#include <cstdint>
#include <memory>

namespace orch::sim::world {

// What comes back over a call's connection.
struct WireEvent {
    enum class Kind {
        connected,
        refused,
        piece,
        end,
        node_error,  // the node itself answers: `code`
        cut,         // closed without an end, or reset
    };

    Kind kind;
    std::uint32_t piece = 0;
    Errc code = Errc::internal;
};

void send_to_edge(Hub& hub, const std::shared_ptr<Call>& call, WireEvent event);

}  // namespace orch::sim::world
