#include "sim/world/world_clock.hpp"

#include "async/cancellation.hpp"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <chrono>
#include <memory>

namespace orch::sim::world {
namespace {

// A timer that never expires by itself: the heap wakes it.
struct Sleeper {
    asio::basic_waitable_timer<
        std::chrono::steady_clock,
        asio::wait_traits<std::chrono::steady_clock>,
        Executor>
        parked;
    bool due = false;

    explicit Sleeper(Executor executor)
        : parked(executor, std::chrono::steady_clock::time_point::max()) {}
};

}  // namespace

WallTime WorldClock::wall() const {
    constexpr std::chrono::milliseconds kEpoch{1'760'000'000'000};
    return WallTime(
        kEpoch + std::chrono::duration_cast<std::chrono::milliseconds>(now().time_since_epoch())
    );
}

Task<bool> WorldClock::sleep_until(Instant when) {
    co_await asio::this_coro::throw_if_cancelled(false);
    const Executor executor = co_await asio::this_coro::executor;
    const asio::cancellation_state before = co_await asio::this_coro::cancellation_state;
    if (async::told_to_stop(before)) {
        co_return false;
    }
    const auto sleeper = std::make_shared<Sleeper>(executor);
    // Nobody waits for the end of time.
    if (when < Instant::max()) {
        heap_.at(when, [this, weak = std::weak_ptr(sleeper)] {
            if (const auto asleep = weak.lock()) {
                asleep->due = true;
                asleep->parked.cancel();
                on_wake_();
            }
        });
    }
    co_await sleeper->parked.async_wait(use_tuple);
    const asio::cancellation_state after = co_await asio::this_coro::cancellation_state;
    co_return sleeper->due && !async::told_to_stop(after);
}

}  // namespace orch::sim::world
