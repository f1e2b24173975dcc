#pragma once

#include "api/task_views.hpp"
#include "async/async_clock.hpp"
#include "async/event_loop.hpp"
#include "async/task_group.hpp"
#include "base/log.hpp"
#include "base/rng.hpp"
#include "control/gateway/dispatch_loop.hpp"
#include "control/gateway/gateway.hpp"
#include "control/tasks/idempotency_table.hpp"
#include "control/tasks/task_report.hpp"
#include "control/tasks/task_table.hpp"
#include "control/tasks/watch_list.hpp"
#include "control/view/retired_models.hpp"
#include "net/edge.hpp"

#include <cstddef>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace orch::control::tasks {

struct TaskServices {
    async::EventLoop& control;
    async::AsyncClock& clock;
    async::TaskGroup& tasks;  // of the control thread
    gateway::DispatchLoop& dispatch;
    gateway::Gateway& gateway;
    const std::vector<net::Edge*>& edges;
};

// One POST /v2/tasks.
struct Submission {
    std::optional<TaskId> id;
    std::optional<std::string> key;  // Idempotency-Key
    std::string fingerprint;         // of the body
    std::string identity;
    CorrelationId correlation;
    std::string traceparent;
    TaskOrder order;
};

// Why a submission was not admitted.
struct Refusal {
    Error error;
    api::ErrorDetails details;
};

// Tasks from admission to their end. The table, the journals and every decision live on the control
// thread; a task enters the same queue as a request of /v1 and, once it has a slot, is carried by
// the gateway on an edge picked in turn, watched or not. All members are called on the control
// thread, but count_rejected(), watch() and leave(), which any thread may call.
class TaskBackend {
public:
    TaskBackend(TasksConfig config, TaskServices services, Logger log);

    // The body of the 202 answer. Errors: why nothing fits, model_deprecated, admission_reject for
    // a full queue or too little memory, conflict for a name that was used with another body.
    std::expected<std::string, Refusal> submit(Submission submission);

    // A submission that could not even be read. Any thread.
    void count_rejected(Errc reason);

    api::TaskPreview preview(const TaskOrder& order) const;

    // Errors: not_found.
    Result<api::TaskView> get(const TaskId& id);
    std::vector<api::TaskView> list(std::optional<TaskState> state, std::size_t most) const;

    // Ends it, whatever it does; nothing for one that has ended. Errors: not_found.
    Result<void> cancel(const TaskId& id);

    // A page of events at once, or as soon as something happens. A page without bytes that is not
    // over: nothing happened for a while. Over without bytes: the task is not known.
    struct Watch {
        WatchList::Answer page;
        std::shared_ptr<std::optional<WatchList::Key>> key;  // control thread only
    };

    Watch watch(Executor watcher, WatchPlace place);
    void leave(const Watch& watch);

    // For tasks that are handed in from now on.
    void set_retired(view::RetiredModelsPtr retired) { retired_ = std::move(retired); }

    // The program stops: tasks that wait end in worker_reset, so that nobody watches them in vain,
    // and no more are taken in; those that run go on.
    void close();

    // Those too end in worker_reset. After close().
    void end_running();

private:
    std::expected<std::optional<std::string>, Refusal> find_earlier(const Submission& submission);
    std::expected<TaskRecord*, Refusal> admit(Submission submission);
    void remember(const Submission& names, const std::string& answer);
    static std::string accepted_body(const TaskRecord& record);

    void on_dispatched(const TaskId& id, Result<gateway::Grant> outcome);
    void act(TaskRecord& record, TaskFsm::Action action);
    void start_run(TaskRecord& record, gateway::Grant grant);
    void take_report(const TaskId& id, TaskReport report);
    void take_end(TaskRecord& record, RunEnd end);
    void fail_task(TaskRecord& record, TaskFsm::Event event, Error error);
    void tell_end(TaskRecord& record);
    void tell_place(TaskRecord& record);
    void tell_figures(TaskRecord& record, const engine::Figures& figures);
    void tell_standing(TaskRecord& record);
    void settle(TaskRecord& record);
    void log_end(const TaskRecord& record) const;

    void keep_ticking();
    Task<void> tick();
    void look_at_queued(Instant now);

    TasksConfig config_;
    TaskServices services_;
    Logger log_;
    Rng rng_;
    TaskTable table_;
    IdempotencyTable earlier_;
    WatchList watchers_;
    view::RetiredModelsPtr retired_ = std::make_shared<view::RetiredModels>();
    std::size_t next_edge_ = 0;
    bool ticking_ = false;
    bool closed_ = false;
};

}  // namespace orch::control::tasks
