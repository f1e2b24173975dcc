#pragma once

#include "async/cancellation.hpp"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <chrono>
#include <optional>

namespace orch::async {

template <class T>
struct Handoff<T>::State {
    Executor executor;
    asio::basic_waitable_timer<
        std::chrono::steady_clock,
        asio::wait_traits<std::chrono::steady_clock>,
        Executor>
        parked;
    std::optional<T> value;

    explicit State(Executor ex)
        : executor(ex), parked(ex, std::chrono::steady_clock::time_point::max()) {}
};

template <class T>
Handoff<T>::Handoff(Executor executor) : state_(std::make_shared<State>(executor)) {}

template <class T>
void Handoff<T>::set(T value) & {
    Handoff<T>(*this).set(std::move(value));
}

template <class T>
void Handoff<T>::set(T value) && {
    const Executor executor = state_->executor;
    asio::post(executor, [state = std::move(state_), value = std::move(value)]() mutable {
        state->value = std::move(value);
        state->parked.cancel();
    });
}

template <class T>
Task<T> Handoff<T>::wait() {
    co_await asio::this_coro::throw_if_cancelled(false);
    const std::shared_ptr<State> state = state_;
    const asio::cancellation_state told = co_await asio::this_coro::cancellation_state;
    if (!state->value && !told_to_stop(told)) {
        co_await state->parked.async_wait(use_tuple);
    }
    co_return state->value ? std::move(*state->value) : T{};
}

template <class T>
Task<T> Handoff<T>::wait_to_end() {
    co_await asio::this_coro::throw_if_cancelled(false);
    const std::shared_ptr<State> state = state_;
    while (!state->value) {
        co_await state->parked.async_wait(use_tuple);
    }
    co_return std::move(*state->value);
}

template <class F>
Task<std::invoke_result_t<F>> call_on(EventLoop& loop, F work) {
    using T = std::invoke_result_t<F>;
    const Executor here = co_await asio::this_coro::executor;
    if constexpr (std::is_void_v<T>) {
        Handoff<bool> done(here);
        loop.post([done, work = std::move(work)]() mutable {
            work();
            std::move(done).set(true);
        });
        co_await done.wait_to_end();
    } else {
        Handoff<T> done(here);
        loop.post([done, work = std::move(work)]() mutable { std::move(done).set(work()); });
        co_return co_await done.wait_to_end();
    }
}

}  // namespace orch::async
