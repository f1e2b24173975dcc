#pragma once

#include <optional>
#include <string_view>

namespace orch::control::tasks {

//            granted             completed
//   queued ----------> running ------------> done
//     |  |               |  |
//     |  | failed,       |  | failed
//     |  | deadline      |  +--------------> failed
//     |  +---------------|-----------------> failed
//     | cancel           | cancel
//     +------------------+-----------------> canceled
//
// running: a slot was claimed for it, also while it looks for another after a place failed.
// The wire text is the enumerator.
enum class TaskState { queued, running, done, failed, canceled };

std::string_view to_string(TaskState state);
std::optional<TaskState> task_state_from(std::string_view text);

// Leads an admitted task to exactly one of its three ends. Sans-I/O: events in, actions out. What
// comes after the end changes nothing.
class TaskFsm {
public:
    enum class Event {
        granted,    // the queue gave it a slot
        completed,  // the answer came to its end
        failed,     // queue, place or engine ended it with an error
        deadline,   // it may wait no longer
        cancel,     // somebody wants it ended
    };

    enum class Action {
        nothing,
        run,          // with the slot that was granted
        give_back,    // that slot: nobody needs it any more
        end,          // tell the end
        leave_queue,  // and tell the end
        close_run,    // and tell the end
    };

    Action resume(Event event);

    TaskState state() const { return state_; }

    bool ended() const { return state_ != TaskState::queued && state_ != TaskState::running; }

private:
    Action go(TaskState state, Action action);
    Action while_queued(Event event);
    Action while_running(Event event);

    TaskState state_ = TaskState::queued;
};

}  // namespace orch::control::tasks
