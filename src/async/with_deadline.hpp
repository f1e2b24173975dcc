#pragma once

#include "async/async_clock.hpp"
#include "async/task.hpp"
#include "base/result.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>

#include <exception>
#include <utility>

namespace orch::async {

// Awaits `task` until `deadline`. Past it the task is cancelled, awaited to its end, and the answer
// is Errc::decode_timeout with `what` as message. An exception of the task passes through.
// Requires: T is default-constructible and the task reacts to cancellation.
template <class T>
Task<Result<T>> with_deadline(
    AsyncClock& clock, Instant deadline, const char* what, Task<Result<T>> task
) {
    const Executor executor = co_await asio::this_coro::executor;
    auto group = asio::experimental::make_parallel_group(
        asio::co_spawn(executor, std::move(task), asio::deferred),
        asio::co_spawn(executor, clock.sleep_until(deadline), asio::deferred)
    );
    auto [order, error, value, timer_error, expired] =
        co_await group.async_wait(asio::experimental::wait_for_one(), use_task);
    if (order[0] == 1 && expired) {
        co_return fail(Errc::decode_timeout, what);
    }
    if (error) {
        std::rethrow_exception(error);
    }
    co_return std::move(value);
}

}  // namespace orch::async
