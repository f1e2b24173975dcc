#include "async/async_clock.hpp"

#include "async/cancellation.hpp"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <chrono>

namespace orch::async {

using SteadyTimer = asio::basic_waitable_timer<
    std::chrono::steady_clock,
    asio::wait_traits<std::chrono::steady_clock>,
    Executor>;

Instant RealClock::now() const {
    return system_.now();
}

WallTime RealClock::wall() const {
    return system_.wall();
}

Task<bool> RealClock::sleep_until(Instant when) {
    co_await asio::this_coro::throw_if_cancelled(false);
    const Executor executor = co_await asio::this_coro::executor;
    const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
    if (told_to_stop(state)) {
        co_return false;
    }
    SteadyTimer timer(executor, when);
    co_await timer.async_wait(use_tuple);
    const asio::cancellation_state after = co_await asio::this_coro::cancellation_state;
    co_return !told_to_stop(after);
}

}  // namespace orch::async
