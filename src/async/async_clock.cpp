#include "async/async_clock.hpp"

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
    SteadyTimer timer(executor, when);
    const auto [failure] = co_await timer.async_wait(use_tuple);
    co_return !failure;
}

}  // namespace orch::async
