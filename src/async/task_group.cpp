#include "async/task_group.hpp"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include <cassert>
#include <chrono>
#include <utility>

namespace orch::async {

struct TaskGroup::Child {
    asio::cancellation_signal signal;
};

struct TaskGroup::Idle {
    asio::basic_waitable_timer<
        std::chrono::steady_clock,
        asio::wait_traits<std::chrono::steady_clock>,
        Executor>
        timer;

    explicit Idle(Executor executor)
        : timer(executor, std::chrono::steady_clock::time_point::max()) {}
};

namespace {

std::string describe(const std::exception_ptr& error) {
    try {
        std::rethrow_exception(error);
    } catch (const std::exception& e) {
        return e.what();
    } catch (...) {
        return "an exception that is no std::exception";
    }
}

bool is_cancellation(const std::exception_ptr& error) {
    try {
        std::rethrow_exception(error);
    } catch (const boost::system::system_error& e) {
        return e.code() == asio::error::operation_aborted;
    } catch (...) {
        return false;
    }
}

}  // namespace

TaskGroup::TaskGroup(Executor executor, OnBug on_bug)
    : executor_(executor), on_bug_(std::move(on_bug)), idle_(std::make_unique<Idle>(executor)) {}

TaskGroup::~TaskGroup() {
    assert(children_.empty() && "join() before the group dies");
}

void TaskGroup::spawn(Task<void> task) {
    children_.push_back(std::make_unique<Child>());
    const auto child = std::prev(children_.end());
    asio::co_spawn(
        executor_,
        std::move(task),
        asio::bind_cancellation_slot(
            (*child)->signal.slot(),
            [this, child](std::exception_ptr error) { finished(child, std::move(error)); }
        )
    );
    if (cancelled_) {
        (*child)->signal.emit(asio::cancellation_type::terminal);
    }
}

void TaskGroup::finished(
    std::list<std::unique_ptr<Child>>::iterator child, std::exception_ptr error
) {
    // co_spawn may have posted the emission of a cancellation to what our signal owns: it must find
    // it alive, so a cancelled child goes behind everything that was posted before.
    std::unique_ptr<Child> ended = std::move(*child);
    children_.erase(child);
    if (cancelled_) {
        asio::post(executor_, [ended = std::move(ended)] {});
    }
    if (error && !is_cancellation(error) && on_bug_) {
        on_bug_(describe(error));
    }
    if (children_.empty()) {
        idle_->timer.cancel();
    }
}

void TaskGroup::cancel() {
    cancelled_ = true;
    // A task may end, and leave the list, while it is told.
    for (auto next = children_.begin(); next != children_.end();) {
        const auto child = next++;
        (*child)->signal.emit(asio::cancellation_type::terminal);
    }
}

Task<void> TaskGroup::join() {
    co_await asio::this_coro::throw_if_cancelled(false);
    while (!children_.empty()) {
        co_await idle_->timer.async_wait(use_tuple);
    }
}

}  // namespace orch::async
