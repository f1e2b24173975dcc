#include "async/alarm.hpp"

#include "async/cancellation.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>

#include <utility>

namespace orch::async {

Alarm::Alarm(AsyncClock& clock, Executor executor)
    : clock_(clock), bell_(executor, Instant::max()) {}

Task<bool> Alarm::wait_until(Instant when) {
    co_await asio::this_coro::throw_if_cancelled(false);
    const Executor executor = co_await asio::this_coro::executor;
    const asio::cancellation_state before = co_await asio::this_coro::cancellation_state;
    if (told_to_stop(before)) {
        co_return false;
    }
    if (std::exchange(rung_, false)) {
        co_return true;
    }
    auto group = asio::experimental::make_parallel_group(
        asio::co_spawn(executor, clock_.sleep_until(when), asio::deferred),
        bell_.async_wait(asio::deferred)
    );
    co_await group.async_wait(asio::experimental::wait_for_one(), use_tuple);
    rung_ = false;
    const asio::cancellation_state after = co_await asio::this_coro::cancellation_state;
    co_return !told_to_stop(after);
}

void Alarm::ring() {
    rung_ = true;
    bell_.cancel();
}

}  // namespace orch::async
