#pragma once

#include "base/clock.hpp"

#include <optional>

namespace orch::async {

// SIGTERM, SIGINT and SIGHUP as values instead of handlers. Blocks them in the calling thread and
// in every thread it starts afterwards: make one first thing in main().
class TerminationSignals {
public:
    TerminationSignals();

    // Waits for the next one and returns its number.
    int wait();

    // The same, nothing after `limit`.
    std::optional<int> wait_for(Duration limit);
};

}  // namespace orch::async
