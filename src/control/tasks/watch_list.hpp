#pragma once

#include "async/event_loop.hpp"
#include "control/tasks/event_journal.hpp"
#include "control/tasks/task_order.hpp"

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>

namespace orch::control::tasks {

// What a watcher gets when it asks for more.
struct WatchPage {
    std::string bytes;       // whole events; empty: nothing happened for a while
    std::uint64_t last = 0;  // to ask for more behind it
    bool over = false;       // the last event of the task is in it, or nothing is known any more
    bool gone = false;       // what was asked for is no longer kept
};

// Which events a watcher wants next.
struct WatchPlace {
    TaskId task;
    std::uint64_t after = 0;
    bool verbose = false;
};

// Watchers that have seen all there is and wait for more. A watcher asks, gets a page, sends it and
// asks again, so nothing is kept for one that is slow. Owner: the control thread.
class WatchList {
public:
    using Answer = async::Handoff<WatchPage>;
    using Key = std::uint64_t;

    Key add(WatchPlace place, Answer answer, Instant now);

    // The client is gone.
    void remove(Key key);

    // The task has something new: answers its watchers from the journal.
    void wake(const TaskId& task, const EventJournal& journal, bool over);

    // Answers those that have heard nothing for so long with an empty page.
    void comment(Instant now, Duration after);

    bool empty() const { return waiting_.empty(); }

private:
    struct Waiting {
        WatchPlace place;
        Answer answer;
        Instant since;
    };

    void settle(Key key, WatchPage page);

    std::unordered_map<Key, Waiting> waiting_;
    std::unordered_map<TaskId, std::list<Key>> by_task_;
    Key keys_ = 0;
};

// The next page of a task's events; over when there is nothing behind it any more.
WatchPage page_of(const EventJournal& journal, const WatchPlace& place, bool ended);

}  // namespace orch::control::tasks
