#include "async/sim_clock.hpp"

#include "async/cancellation.hpp"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <chrono>

namespace orch::async {

// A timer that never expires by itself: cancelling it is how virtual time wakes a sleeper.
struct SimClock::Sleeper {
    asio::basic_waitable_timer<
        std::chrono::steady_clock,
        asio::wait_traits<std::chrono::steady_clock>,
        Executor>
        parked;
    bool due = false;

    explicit Sleeper(Executor executor) : parked(executor, Instant::max()) {}
};

SimClock::SimClock(asio::io_context& context) : context_(context) {}

SimClock::~SimClock() = default;

Instant SimClock::now() const {
    return now_;
}

WallTime SimClock::wall() const {
    // An arbitrary fixed day, so that texts with dates are the same in every run.
    constexpr std::chrono::milliseconds kEpochOfSimulation{1'760'000'000'000};
    const auto elapsed =
        std::chrono::duration_cast<std::chrono::milliseconds>(now_.time_since_epoch());
    return WallTime(kEpochOfSimulation + elapsed);
}

Task<bool> SimClock::sleep_until(Instant when) {
    co_await asio::this_coro::throw_if_cancelled(false);
    const Executor executor = co_await asio::this_coro::executor;
    const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
    if (told_to_stop(state)) {
        co_return false;
    }
    const Key key{when, next_ticket_++};
    auto sleeper = std::make_shared<Sleeper>(executor);
    sleepers_.emplace(key, sleeper);
    co_await sleeper->parked.async_wait(use_tuple);
    sleepers_.erase(key);
    const asio::cancellation_state after = co_await asio::this_coro::cancellation_state;
    co_return sleeper->due && !told_to_stop(after);
}

void SimClock::run_ready() {
    context_.restart();
    context_.poll();
}

void SimClock::run_until(Instant end) {
    run_ready();
    while (!sleepers_.empty() && sleepers_.begin()->first.first <= end) {
        const auto node = sleepers_.extract(sleepers_.begin());
        now_ = std::max(now_, node.key().first);
        node.mapped()->due = true;
        node.mapped()->parked.cancel();
        run_ready();
    }
    now_ = std::max(now_, end);
}

void SimClock::run_for(Duration duration) {
    run_until(now_ + duration);
}

}  // namespace orch::async
