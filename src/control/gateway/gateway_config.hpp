#pragma once

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "control/gateway/retry_budget.hpp"

#include <cstdint>

namespace orch::control::gateway {

// Longer than a node takes to find that an engine hangs (8 s) or has ended.
inline constexpr Duration kFailedFor = std::chrono::seconds(10);

// How patient the gateway is and how often it tries.
struct GatewayConfig {
    Duration connect_limit = std::chrono::milliseconds(1000);  // per connection to a node
    Duration first_byte_limit = std::chrono::seconds(600);     // until an answer begins
    Duration idle_limit = std::chrono::seconds(120);           // between two pieces of a stream
    // Of an answer whose node has fallen silent: after so long without a byte it is given up.
    Duration node_timeout = std::chrono::seconds(30);
    std::uint32_t retry_attempts = 2;              // further places after a failed one
    Duration suspicion = std::chrono::seconds(5);  // a pool that refused is avoided for so long
    Duration failed_for = kFailedFor;              // as Bid
    Bytes replay_limit = kMiB;                     // bodies up to this may be sent again
    RetryBudgetConfig retry_budget{};              // per edge
    Bytes continued_text = 256 * kKiB;  // a stream with more text is not continued elsewhere
    Bytes held_answer = kMiB;           // answers up to this reach the client only when complete
};

}  // namespace orch::control::gateway
