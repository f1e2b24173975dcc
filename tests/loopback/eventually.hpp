#pragma once

#include "base/clock.hpp"
#include "loopback/signal.hpp"

#include <poll.h>

namespace orch::loopback {

// Whether it becomes true in time. For what has no event to wait for: asks again and again.
template <class F>
bool eventually(F holds) {
    constexpr int kPauseMs = 2;
    const SystemClock clock;
    const Instant end = clock.now() + kGuard;
    while (!holds()) {
        if (clock.now() > end) {
            return false;
        }
        poll(nullptr, 0, kPauseMs);
    }
    return true;
}

}  // namespace orch::loopback
