#pragma once

#include "async/event_loop.hpp"
#include "control/app/routes.hpp"
#include "net/answer.hpp"

#include <boost/asio/this_coro.hpp>

#include <utility>

// What the route files share: who may call, and calls to the control thread.
namespace orch::control::app {

// In HOME only the node in this process may join or leave, whoever else has a token.
Result<void> refuse_strangers_at_home(const RouteContext& context, const net::Exchange& exchange);

template <class T>
Task<void> hand_over(async::Handoff<T> done, Task<T> work) {
    T result = co_await std::move(work);
    std::move(done).set(std::move(result));
}

// Runs the coroutine that `make` returns on the control thread, and waits for its end; a T{} when
// the program stops meanwhile.
template <class T, class Make>
Task<T> run_on_control(RouteContext& context, Make make) {
    const Executor here = co_await asio::this_coro::executor;
    async::Handoff<T> done(here);
    context.control.post([&context, done, make = std::move(make)] {
        context.control_tasks.spawn(hand_over<T>(done, make()));
    });
    co_return co_await done.wait();
}

}  // namespace orch::control::app
