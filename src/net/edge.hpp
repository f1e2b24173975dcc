#pragma once

#include "async/event_loop.hpp"
#include "async/task_group.hpp"
#include "base/log.hpp"
#include "net/client_pool.hpp"
#include "net/deadline_list.hpp"

#include <cstddef>
#include <string>

namespace orch::net {

// One thread of the data path with everything that belongs to it: the connections it serves, its
// upstream connections and their time limits. Nothing in it is shared with another edge.
class Edge {
public:
    Edge(std::size_t index, async::AsyncClock& clock, Logger log);

    void start();  // starts the thread

    // Cancels the tasks, closes the connections and waits for the thread. Called from outside it.
    void stop();

    std::size_t index() const { return index_; }

    async::EventLoop& loop() { return loop_; }

    async::AsyncClock& clock() { return clock_; }

    DeadlineList& deadlines() { return deadlines_; }

    ClientPool& clients() { return clients_; }

    async::TaskGroup& tasks() { return tasks_; }

private:
    Task<void> wind_down();

    std::size_t index_;
    async::AsyncClock& clock_;
    async::EventLoop loop_;
    DeadlineList deadlines_;
    ClientPool clients_;
    async::TaskGroup timers_;  // outlives tasks_: closing connections needs the clock
    async::TaskGroup tasks_;
    async::TaskGroup closing_;
};

}  // namespace orch::net
