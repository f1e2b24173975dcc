#include "control/tasks/task_table.hpp"

#include <algorithm>
#include <ranges>
#include <utility>

namespace orch::control::tasks {
namespace {

// What a record costs beside its texts.
constexpr Bytes kOverhead = 2 * kKiB;

// What a task keeps of its events when memory is short and no ended task is left to go.
constexpr Bytes kShortJournal = 64 * kKiB;

std::optional<std::int64_t> ms(const std::optional<WallTime>& time) {
    return time ? std::optional(unix_ms(*time)) : std::nullopt;
}

}  // namespace

Bytes TaskRecord::bytes() const {
    return kOverhead + (fsm.ended() ? 0 : order.call->body.size()) + journal.bytes() +
           output.size() + (result ? result->size() : 0);
}

api::TaskView TaskRecord::view() const {
    api::TaskView view;
    view.task_id = id.str();
    view.state = to_string(fsm.state());
    view.model = order.placement.model.value_or("");
    view.workload = workload_of(order.kind);
    view.priority = to_string(order.priority);
    view.session_id = order.session_id;
    if (fsm.state() == TaskState::queued) {
        view.queue_position = standing.ahead;
    }
    if (place) {
        view.node_id = place->node;
        view.pool_id = place->pool;
    }
    view.attempts = attempts;
    view.created_ms = unix_ms(created_wall);
    view.started_ms = ms(started_wall);
    view.ended_ms = ms(ended_wall);
    view.tokens_out = tokens_out;
    view.output = output;
    view.result = result;
    view.error = error;
    return view;
}

TaskRecord* TaskTable::insert(TaskId id, TaskOrder order) {
    if (records_.contains(id)) {
        return nullptr;
    }
    auto record = std::make_unique<TaskRecord>(id, std::move(order), config_.journal);
    TaskRecord* const made = record.get();
    made->number_ = ++numbers_;
    by_number_.emplace(made->number_, made);
    records_.emplace(std::move(id), std::move(record));
    account(*made);
    return made;
}

TaskRecord* TaskTable::find(const TaskId& id) {
    const auto found = records_.find(id);
    return found == records_.end() ? nullptr : found->second.get();
}

void TaskTable::erase(const TaskId& id) {
    const auto found = records_.find(id);
    if (found == records_.end()) {
        return;
    }
    const TaskRecord& record = *found->second;
    bytes_ -= record.counted_;
    if (record.ended) {
        ended_bytes_ -= record.counted_;
    }
    by_number_.erase(record.number_);
    records_.erase(found);
}

std::vector<const TaskRecord*> TaskTable::list(std::optional<TaskState> state, std::size_t most)
    const {
    std::vector<const TaskRecord*> list;
    for (const auto& [number, record] : std::views::reverse(by_number_)) {
        if (list.size() >= most) {
            break;
        }
        if (!state || record->fsm.state() == *state) {
            list.push_back(record);
        }
    }
    return list;
}

std::vector<TaskRecord*> TaskTable::unended() {
    std::vector<TaskRecord*> list;
    for (const auto& [number, record] : by_number_) {
        if (!record->fsm.ended()) {
            list.push_back(record);
        }
    }
    return list;
}

void TaskTable::account(TaskRecord& record) {
    const auto count = [&] {
        const Bytes now = record.bytes();
        bytes_ = bytes_ - record.counted_ + now;
        if (record.ended) {
            ended_bytes_ = ended_bytes_ - record.counted_ + now;
        }
        record.counted_ = now;
    };
    count();
    while (bytes_ > config_.memory && !ended_.empty() && ended_.front() != record.id) {
        const TaskId first = ended_.front();
        ended_.pop_front();
        erase(first);
    }
    if (bytes_ > config_.memory && record.journal.bytes() > kShortJournal) {
        record.journal.shrink(kShortJournal);
        count();
    }
}

void TaskTable::ended(TaskRecord& record) {
    ended_bytes_ += record.counted_;
    ended_.push_back(record.id);
    account(record);
}

void TaskTable::forget_old(Instant now) {
    while (!ended_.empty()) {
        const TaskRecord* const first = find(ended_.front());
        const bool old = first == nullptr || now - *first->ended >= config_.keep_ended;
        if (!old && ended_.size() <= config_.most_ended) {
            return;
        }
        const TaskId id = ended_.front();
        ended_.pop_front();
        erase(id);
    }
}

}  // namespace orch::control::tasks
