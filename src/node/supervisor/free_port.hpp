#pragma once

#include "base/result.hpp"

#include <cstdint>

namespace orch::node::supervisor {

// A TCP port of 127.0.0.1 that nobody listened on a moment ago. Errors: internal when there is
// none.
Result<std::uint16_t> choose_loopback_port();

}  // namespace orch::node::supervisor
