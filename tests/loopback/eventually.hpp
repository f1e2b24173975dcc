#pragma once

#include "loopback/signal.hpp"

#include <chrono>
#include <thread>

namespace orch::loopback {

// Whether it becomes true in time.
template <class F>
bool eventually(F holds) {
    const auto end = std::chrono::steady_clock::now() + kGuard;
    while (!holds()) {
        if (std::chrono::steady_clock::now() > end) {
            return false;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return true;
}

}  // namespace orch::loopback
