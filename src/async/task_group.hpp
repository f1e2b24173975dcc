#pragma once

#include "async/task.hpp"

#include <cstddef>
#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <string>

namespace orch::async {

// Owns coroutines: each one is spawned into a group, can be cancelled through it and is awaited
// before the group dies. One thread: that of the executor.
//
//     group.spawn(serve(socket));      runs until it returns
//     group.cancel();                  asks all to stop; asio operations end with "aborted"
//     co_await group.join();           returns when none is left
class TaskGroup {
public:
    // Hears of an exception that left a task: a bug, since expected failures are values.
    using OnBug = std::function<void(const std::string& what)>;

    TaskGroup(Executor executor, OnBug on_bug);
    ~TaskGroup();  // Requires: empty (asserted)
    TaskGroup(const TaskGroup&) = delete;
    TaskGroup& operator=(const TaskGroup&) = delete;

    // Starts the task at once on the group's executor. After cancel() it starts cancelled.
    void spawn(Task<void> task);

    void cancel();
    Task<void> join();

    std::size_t size() const { return children_.size(); }

    bool cancelled() const { return cancelled_; }

    Executor executor() const { return executor_; }

private:
    struct Child;
    struct Idle;

    void finished(std::list<std::unique_ptr<Child>>::iterator child, std::exception_ptr error);

    Executor executor_;
    OnBug on_bug_;
    bool cancelled_ = false;
    std::list<std::unique_ptr<Child>> children_;
    std::unique_ptr<Idle> idle_;  // fires when the last child is gone
};

}  // namespace orch::async
