#include "control/tasks/task_fsm.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace orch::control::tasks {
namespace {

constexpr std::array<std::pair<TaskState, std::string_view>, 5> kNames{{
    {TaskState::queued, "queued"},
    {TaskState::running, "running"},
    {TaskState::done, "done"},
    {TaskState::failed, "failed"},
    {TaskState::canceled, "canceled"},
}};

}  // namespace

std::string_view to_string(TaskState state) {
    return std::ranges::find(kNames, state, &std::pair<TaskState, std::string_view>::first)->second;
}

std::optional<TaskState> task_state_from(std::string_view text) {
    const auto* const found =
        std::ranges::find(kNames, text, &std::pair<TaskState, std::string_view>::second);
    return found == kNames.end() ? std::nullopt : std::optional(found->first);
}

TaskFsm::Action TaskFsm::resume(Event event) {
    switch (state_) {
        case TaskState::queued:
            return while_queued(event);
        case TaskState::running:
            return while_running(event);
        case TaskState::done:
        case TaskState::failed:
        case TaskState::canceled:
            break;
    }
    return event == Event::granted ? Action::give_back : Action::nothing;
}

TaskFsm::Action TaskFsm::go(TaskState state, Action action) {
    state_ = state;
    return action;
}

TaskFsm::Action TaskFsm::while_queued(Event event) {
    switch (event) {
        case Event::granted:
            return go(TaskState::running, Action::run);
        case Event::failed:
            return go(TaskState::failed, Action::end);
        case Event::deadline:
            return go(TaskState::failed, Action::leave_queue);
        case Event::cancel:
            return go(TaskState::canceled, Action::leave_queue);
        case Event::completed:
            break;
    }
    return Action::nothing;
}

TaskFsm::Action TaskFsm::while_running(Event event) {
    switch (event) {
        case Event::completed:
            return go(TaskState::done, Action::end);
        case Event::failed:
            return go(TaskState::failed, Action::end);
        case Event::cancel:
            return go(TaskState::canceled, Action::close_run);
        case Event::granted:
            return Action::give_back;
        case Event::deadline:
            break;
    }
    return Action::nothing;
}

}  // namespace orch::control::tasks
