#pragma once

#include "async/async_clock.hpp"
#include "async/task.hpp"

#include <boost/asio/basic_waitable_timer.hpp>

#include <chrono>

namespace orch::async {

// A sleep that others on the same thread can cut short: for a loop that waits for its next deadline
// while an earlier one may appear. One coroutine waits at a time.
class Alarm {
public:
    Alarm(AsyncClock& clock, Executor executor);

    // Returns true at `when` or when rung, false when the task was cancelled. Rung before: at once.
    Task<bool> wait_until(Instant when);

    void ring();

private:
    using Bell = asio::basic_waitable_timer<
        std::chrono::steady_clock,
        asio::wait_traits<std::chrono::steady_clock>,
        Executor>;

    AsyncClock& clock_;
    Bell bell_;  // never expires by itself
    bool rung_ = false;
};

}  // namespace orch::async
