#pragma once

#include "async/task.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>

namespace orch::async {

// One thread with its io_context: a control thread or an edge. State that belongs to a loop is
// touched on its thread only; others reach it with post() or call_on().
class EventLoop {
public:
    EventLoop();
    ~EventLoop();
    EventLoop(const EventLoop&) = delete;
    EventLoop& operator=(const EventLoop&) = delete;

    // Starts the thread. `name` (at most 15 characters) shows in ps -T.
    void start(std::string name);

    // Lets the thread end when nothing is left to do, and waits for it.
    void finish();

    void post(std::function<void()> work);

    Executor executor() { return context_.get_executor(); }

    asio::io_context& context() { return context_; }

    bool on_this_thread();

private:
    asio::io_context context_{1};
    asio::executor_work_guard<Executor> work_;
    std::thread thread_;
};

// A place to hand a value from one loop to a coroutine that waits on another.
// set() may be called from any thread, once; wait() by one coroutine, on `executor`'s thread. The
// place must not die on a thread that may outlive the waiting loop: such a setter gives its copy
// away with std::move(handoff).set(value).
template <class T>
class Handoff {
public:
    explicit Handoff(Executor executor);
    void set(T value) &;
    void set(T value) &&;
    Task<T> wait();         // default-constructed T when the waiting task was cancelled
    Task<T> wait_to_end();  // ignores cancellation: for work that uses what the waiter owns

private:
    struct State;
    std::shared_ptr<State> state_;
};

// Runs `work` on the other loop's thread and resumes the caller on its own with the result.
template <class F>
Task<std::invoke_result_t<F>> call_on(EventLoop& loop, F work);

}  // namespace orch::async

#include "async/event_loop.ipp"
