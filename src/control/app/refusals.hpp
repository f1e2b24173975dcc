#pragma once

#include "async/event_loop.hpp"
#include "control/fleet/registry_backend.hpp"
#include "net/exchange.hpp"

namespace orch::control::app {

// Counts registrations and heartbeats that were refused before the registry saw them: without a
// valid token, or with a body that cannot be read. For the server's observer, on an edge.
void count_refusal(
    const net::Exchange& exchange, async::EventLoop& control, fleet::RegistryBackend& registry
);

}  // namespace orch::control::app
