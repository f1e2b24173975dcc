#pragma once

#include "async/task.hpp"
#include "base/host_port.hpp"

#include <optional>
#include <string>

namespace orch::net {

// The address that this machine uses towards `target`: what a connection to it would come from.
// Nothing is sent. Nothing is returned when the name has no address or no route leads there.
Task<std::optional<std::string>> local_address_towards(HostPort target);

}  // namespace orch::net
