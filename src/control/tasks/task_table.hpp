#pragma once

#include "api/error_body.hpp"
#include "api/task_views.hpp"
#include "base/clock.hpp"
#include "control/admission/wait_queue.hpp"
#include "control/gateway/dispatcher.hpp"
#include "control/tasks/event_journal.hpp"
#include "control/tasks/task_fsm.hpp"
#include "control/tasks/task_order.hpp"
#include "control/tasks/tasks_config.hpp"

#include <cstddef>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace orch::control::tasks {

class TaskRun;

// Everything about one task.
struct TaskRecord {
    TaskRecord(TaskId task, TaskOrder what, Bytes journal_limit)
        : id(std::move(task)), order(std::move(what)), journal(journal_limit) {}

    TaskId id;
    TaskOrder order;
    std::string identity;
    CorrelationId correlation;
    std::string traceparent;

    TaskFsm fsm;
    EventJournal journal;
    std::optional<admission::TicketId> ticket;  // while queued
    std::shared_ptr<TaskRun> run;               // while running

    gateway::Standing standing;  // as told last
    Instant told_at{};
    Instant created{};
    std::optional<Instant> deadline;
    WallTime created_wall{};
    std::optional<WallTime> started_wall;
    std::optional<WallTime> ended_wall;
    std::optional<Instant> ended;

    std::optional<PoolKey> place;
    std::uint32_t attempts = 0;
    std::uint64_t tokens_out = 0;
    Duration decoding{};
    std::string output;
    std::optional<std::string> result;
    std::optional<api::ErrorBody> error;

    Bytes bytes() const;
    api::TaskView view() const;

private:
    friend class TaskTable;
    std::uint64_t number_ = 0;
    Bytes counted_ = 0;
};

// All tasks that are known: those that have not ended, and those that ended lately, within bounds
// of number, time and memory; the first to go are those that ended first. Passive; owner: the
// control thread. Pure.
class TaskTable {
public:
    explicit TaskTable(TasksConfig config) : config_(config) {}

    // nullptr when the id is taken.
    TaskRecord* insert(TaskId id, TaskOrder order);

    TaskRecord* find(const TaskId& id);
    void erase(const TaskId& id);

    // Newest first.
    std::vector<const TaskRecord*> list(std::optional<TaskState> state, std::size_t most) const;

    // In order of admission.
    std::vector<TaskRecord*> unended();

    // Counts anew what the record holds, and makes room for it: ended tasks go, then old events of
    // this one.
    void account(TaskRecord& record);

    // It has ended: it may be forgotten when its time comes.
    void ended(TaskRecord& record);

    void forget_old(Instant now);

    // Whether so much more may be kept, after all ended tasks went if need be.
    bool room_for(Bytes more) const { return bytes_ - ended_bytes_ + more <= config_.memory; }

    std::size_t size() const { return records_.size(); }

    Bytes bytes() const { return bytes_; }

private:
    TasksConfig config_;
    std::unordered_map<TaskId, std::unique_ptr<TaskRecord>> records_;
    std::map<std::uint64_t, TaskRecord*> by_number_;  // in order of admission
    std::list<TaskId> ended_;                         // first ended first
    std::uint64_t numbers_ = 0;
    Bytes bytes_ = 0;
    Bytes ended_bytes_ = 0;
};

}  // namespace orch::control::tasks
