#include "control/tasks/task_report.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace orch::control::tasks {

void TaskReport::append(TaskReport later) {
    if (later.place) {
        place = std::move(later.place);
    }
    attempts = std::max(attempts, later.attempts);
    events.insert(
        events.end(),
        std::make_move_iterator(later.events.begin()),
        std::make_move_iterator(later.events.end())
    );
    text += later.text;
    tokens = std::max(tokens, later.tokens);
    if (later.end) {
        end = std::move(later.end);
    }
}

}  // namespace orch::control::tasks
