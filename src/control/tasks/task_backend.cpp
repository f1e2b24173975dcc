#include "control/tasks/task_backend.hpp"

#include "api/task_events.hpp"
#include "control/gateway/retirement.hpp"
#include "control/tasks/task_preview.hpp"
#include "control/tasks/task_run.hpp"
#include "net/correlation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace orch::control::tasks {
namespace {

using Action = TaskFsm::Action;
using Event = TaskFsm::Event;

constexpr Duration kTick = std::chrono::milliseconds(100);

// A queued task hears of its place at most so often, and less often the more of them there are:
// finding the place of one costs a walk over those before it.
constexpr Duration kStandingPause = std::chrono::seconds(1);
constexpr Duration kStandingPausePerTask = std::chrono::milliseconds(10);

std::optional<std::int64_t> ms(const std::optional<Duration>& duration) {
    return duration ? std::optional(to_ms(*duration)) : std::nullopt;
}

std::unexpected<Refusal> refuse(Error error) {
    return std::unexpected(Refusal{std::move(error), {}});
}

Error stopped() {
    return {Errc::worker_reset, "the control plane stopped", {}};
}

std::string key_name(const Submission& submission) {
    return submission.identity + "\nkey\n" + *submission.key;
}

std::string id_name(const Submission& submission) {
    return submission.identity + "\nid\n" + submission.id->str();
}

// The gateway's part of a task, from its slot to the last report.
Task<void> carry(
    gateway::Gateway& gateway,
    std::shared_ptr<TaskRun> run,
    placement::PlacementRequest request,
    admission::Priority priority,
    gateway::Grant grant
) {
    co_await gateway.carry(run->edge(), *run, std::move(request), priority, std::move(grant));
}

}  // namespace

TaskBackend::TaskBackend(TasksConfig config, TaskServices services, Logger log)
    : config_(config),
      services_(services),
      log_(std::move(log)),
      rng_(system_seed()),
      table_(config) {}

std::expected<std::string, Refusal> TaskBackend::submit(Submission submission) {
    auto earlier = find_earlier(submission);
    if (!earlier) {
        return std::unexpected(std::move(earlier.error()));
    }
    if (*earlier) {
        return std::move(**earlier);
    }
    Submission names = submission;
    names.order = {};
    auto record = admit(std::move(submission));
    if (!record) {
        services_.dispatch.probe().rejected(record.error().error.code);
        return std::unexpected(std::move(record.error()));
    }
    std::string answer = accepted_body(**record);
    remember(names, answer);
    keep_ticking();
    return answer;
}

std::expected<std::optional<std::string>, Refusal> TaskBackend::find_earlier(
    const Submission& submission
) {
    const Instant now = services_.clock.now();
    const std::string& fingerprint = submission.fingerprint;
    Result<std::optional<std::string>> found{std::nullopt};
    if (submission.key) {
        found = earlier_.find(key_name(submission), fingerprint, "Idempotency-Key", now);
    }
    if (found && !*found && submission.id) {
        found = earlier_.find(id_name(submission), fingerprint, "task_id", now);
    }
    if (!found) {
        return refuse(std::move(found.error()));
    }
    return std::move(*found);
}

void TaskBackend::remember(const Submission& names, const std::string& answer) {
    const Instant now = services_.clock.now();
    if (names.key) {
        earlier_.remember(key_name(names), names.fingerprint, answer, now);
    }
    if (names.id) {
        earlier_.remember(id_name(names), names.fingerprint, answer, now);
    }
}

std::expected<TaskRecord*, Refusal> TaskBackend::admit(Submission submission) {
    if (closed_) {
        return refuse({Errc::pool_unavailable, "the control plane is stopping", {}});
    }
    if (!table_.room_for(submission.order.call->body.size())) {
        return refuse(
            {Errc::admission_reject,
             "the tasks that have not ended take up all memory for tasks",
             {}}
        );
    }
    const TaskId id = submission.id ? *submission.id : TaskId(make_uuid(rng_));
    const view::ClusterView& view = services_.dispatch.dispatcher().view();
    if (auto served = gateway::leave_out_retired(view, *retired_, submission.order.placement);
        !served) {
        return refuse(std::move(served.error()));
    }
    const placement::PlacementRequest request = submission.order.placement;
    const admission::Priority priority = submission.order.priority;
    TaskRecord* const record = table_.insert(id, std::move(submission.order));
    if (record == nullptr) {
        return refuse({Errc::conflict, "task_id: another task has it", {}});
    }
    record->identity = std::move(submission.identity);
    record->correlation = std::move(submission.correlation);
    record->traceparent = std::move(submission.traceparent);
    record->created = services_.clock.now();
    record->created_wall = services_.clock.wall();
    if (record->order.deadline) {
        record->deadline = record->created + *record->order.deadline;
    }
    gateway::Bid bid{request, {}, {}, priority, false};
    auto ticket =
        services_.dispatch.admit(std::move(bid), [this, id](Result<gateway::Grant> outcome) {
            on_dispatched(id, std::move(outcome));
        });
    if (!ticket) {
        table_.erase(id);
        const auto outlook =
            services_.dispatch.dispatcher().preview(request, services_.clock.now());
        services_.dispatch.placements().considered(outlook.decision.looked_at);
        services_.dispatch.placements().no_capacity(request);
        return std::unexpected(Refusal{std::move(ticket.error()), reasons_of(outlook.decision)});
    }
    if (record->fsm.state() == TaskState::queued) {
        record->ticket = *ticket;
        tell_standing(*record);
    }
    return record;
}

std::string TaskBackend::accepted_body(const TaskRecord& record) {
    api::TaskAccepted accepted;
    accepted.task_id = record.id.str();
    const bool queued = record.fsm.state() == TaskState::queued;
    accepted.queue_position = queued ? record.standing.ahead : 0;
    accepted.predicted_start_ms = queued ? ms(record.standing.start_in) : 0;
    accepted.streams.sse = fmt::format("/v2/tasks/{}/events", record.id.str());
    accepted.streams.sse_verbose = accepted.streams.sse + "?verbose=true";
    return api::to_json(accepted);
}

void TaskBackend::count_rejected(Errc reason) {
    services_.control.post([this, reason] { services_.dispatch.probe().rejected(reason); });
}

api::TaskPreview TaskBackend::preview(const TaskOrder& order) const {
    const gateway::Dispatcher& dispatcher = services_.dispatch.dispatcher();
    placement::PlacementRequest request = order.placement;
    const auto served = gateway::leave_out_retired(dispatcher.view(), *retired_, request);
    const auto outlook = dispatcher.preview(request, services_.clock.now());
    return make_preview(outlook, served);
}

Result<api::TaskView> TaskBackend::get(const TaskId& id) {
    TaskRecord* const record = table_.find(id);
    if (record == nullptr) {
        return fail(Errc::not_found, fmt::format("no such task: {}", id.str()));
    }
    if (record->ticket) {
        const auto standing =
            services_.dispatch.dispatcher().standing(*record->ticket, services_.clock.now());
        record->standing = standing.value_or(record->standing);
    }
    return record->view();
}

std::vector<api::TaskView> TaskBackend::list(std::optional<TaskState> state, std::size_t most)
    const {
    std::vector<api::TaskView> list;
    for (const TaskRecord* const record : table_.list(state, most)) {
        list.push_back(record->view());
    }
    return list;
}

Result<void> TaskBackend::cancel(const TaskId& id) {
    TaskRecord* const record = table_.find(id);
    if (record == nullptr) {
        return fail(Errc::not_found, fmt::format("no such task: {}", id.str()));
    }
    const Action action = record->fsm.resume(Event::cancel);
    if (action == Action::leave_queue) {
        services_.dispatch.probe().canceled(nullptr, "client");
    }
    act(*record, action);
    return {};
}

void TaskBackend::close() {
    closed_ = true;
    for (TaskRecord* const record : table_.unended()) {
        if (record->ticket) {
            services_.dispatch.probe().rejected(Errc::worker_reset);
            fail_task(*record, Event::deadline, stopped());  // it waits no longer
        }
    }
}

void TaskBackend::end_running() {
    for (TaskRecord* const record : table_.unended()) {
        fail_task(*record, Event::failed, stopped());
    }
}

TaskBackend::Watch TaskBackend::watch(Executor watcher, WatchPlace place) {
    Watch watch{WatchList::Answer(watcher), std::make_shared<std::optional<WatchList::Key>>()};
    services_.control.post([this, watch, place = std::move(place)]() mutable {
        TaskRecord* const record = table_.find(place.task);
        WatchPage page;
        page.over = true;
        if (record != nullptr) {
            page = page_of(record->journal, place, record->fsm.ended());
        }
        if (page.over || !page.bytes.empty()) {
            std::move(watch.page).set(std::move(page));
            return;
        }
        // Verbose events that this watcher skips must not be read again and again.
        place.after = page.last;
        *watch.key = watchers_.add(std::move(place), std::move(watch.page), services_.clock.now());
        keep_ticking();
    });
    return watch;
}

void TaskBackend::leave(const Watch& watch) {
    services_.control.post([this, key = watch.key] {
        if (*key) {
            watchers_.remove(**key);
        }
    });
}

void TaskBackend::on_dispatched(const TaskId& id, Result<gateway::Grant> outcome) {
    TaskRecord* const record = table_.find(id);
    if (outcome) {
        const Action action =
            record == nullptr ? Action::give_back : record->fsm.resume(Event::granted);
        if (action == Action::run) {
            start_run(*record, std::move(*outcome));
        } else {
            const gateway::SlotClaim unused(
                services_.dispatch, outcome->view, *outcome->node, *outcome->pool
            );
        }
        return;
    }
    if (record == nullptr || record->fsm.ended()) {
        return;
    }
    services_.dispatch.probe().rejected(outcome.error().code);
    services_.dispatch.placements().no_capacity(record->order.placement);
    fail_task(*record, Event::failed, std::move(outcome.error()));
}

void TaskBackend::start_run(TaskRecord& record, gateway::Grant grant) {
    net::Edge& edge = *services_.edges[next_edge_++ % services_.edges.size()];
    record.ticket.reset();
    record.started_wall = services_.clock.wall();
    record.place = grant.pool->key;
    RunSpec spec{record.order.call, record.correlation, record.traceparent, config_.result};
    record.run = std::make_shared<TaskRun>(
        edge,
        std::move(spec),
        [this, &edge, id = record.id](TaskReport report, std::function<void()> taken) {
            services_.control.post([this, &edge, id, report, taken]() mutable {
                take_report(id, std::move(report));
                edge.loop().post(std::move(taken));
            });
        }
    );
    edge.loop().post([&gateway = services_.gateway,
                      run = record.run,
                      request = record.order.placement,
                      priority = record.order.priority,
                      grant = std::move(grant)] {
        run->edge().tasks().spawn(carry(gateway, run, request, priority, grant));
    });
}

void TaskBackend::take_report(const TaskId& id, TaskReport report) {
    TaskRecord* const record = table_.find(id);
    if (record == nullptr || record->fsm.ended()) {
        return;
    }
    record->place = report.place ? report.place : record->place;
    record->attempts = std::max(record->attempts, report.attempts);
    record->output += report.text;
    record->tokens_out = std::max(record->tokens_out, report.tokens);
    for (const TaskReport::Event& event : report.events) {
        record->journal.append(event.name, event.data);
        if (event.name == "started") {
            tell_place(*record);
        }
    }
    if (report.end) {
        take_end(*record, std::move(*report.end));
    } else {
        settle(*record);
    }
}

// For people: verbose streams only.
void TaskBackend::tell_place(TaskRecord& record) {
    api::MetricsEvent metrics;
    metrics.phase = "running";
    metrics.human = fmt::format(
        "pool {} of node {} serves it, at attempt {}",
        record.place->pool.str(),
        record.place->node.str(),
        record.attempts
    );
    record.journal.append("metrics", api::to_json(metrics), true);
}

void TaskBackend::take_end(TaskRecord& record, RunEnd end) {
    record.tokens_out = end.figures.tokens_out.value_or(record.tokens_out);
    const Duration engines = std::chrono::duration_cast<Duration>(
        std::chrono::duration<double, std::milli>(end.figures.decode_ms.value_or(0))
    );
    record.decoding = end.figures.decode_ms ? engines : end.decoding;
    if (end.error) {
        fail_task(record, Event::failed, std::move(*end.error));
        return;
    }
    if (end.result) {
        record.journal.append("result", *end.result);
        record.result = std::move(end.result);
    }
    tell_figures(record, end.figures);
    act(record, record.fsm.resume(Event::completed));
}

void TaskBackend::tell_figures(TaskRecord& record, const engine::Figures& figures) {
    api::MetricsEvent metrics;
    metrics.tokens_in = figures.tokens_in;
    metrics.tokens_out = figures.tokens_out;
    metrics.prompt_ms = figures.prompt_ms;
    metrics.decode_ms = figures.decode_ms;
    if (metrics.tokens_in || metrics.tokens_out || metrics.prompt_ms || metrics.decode_ms) {
        record.journal.append("metrics", api::to_json(metrics));
    }
}

void TaskBackend::fail_task(TaskRecord& record, Event event, Error error) {
    const Action action = record.fsm.resume(event);
    if (action == Action::nothing) {
        return;
    }
    record.error = api::make_error_body(error, record.correlation);
    act(record, action);
}

void TaskBackend::act(TaskRecord& record, Action action) {
    if (action == Action::nothing) {
        return;
    }
    if (action == Action::leave_queue) {
        services_.dispatch.dispatcher().cancel(*record.ticket);
    }
    if (action == Action::close_run) {
        record.run->edge().loop().post([run = record.run] { run->cancel(); });
    }
    tell_end(record);
}

void TaskBackend::tell_end(TaskRecord& record) {
    record.ticket.reset();
    record.run.reset();
    record.ended = services_.clock.now();
    record.ended_wall = services_.clock.wall();
    if (record.error) {
        record.journal.append("error", api::error_event_json(*record.error));
    } else {
        api::EndEvent end;
        end.tokens_out = record.tokens_out;
        end.decode_time_ms = end.decode_ms = to_ms(record.decoding);
        if (record.fsm.state() == TaskState::canceled) {
            end.canceled = true;
        }
        record.journal.append("end", api::to_json(end));
    }
    log_end(record);
    watchers_.wake(record.id, record.journal, true);
    table_.ended(record);
}

void TaskBackend::settle(TaskRecord& record) {
    table_.account(record);
    watchers_.wake(record.id, record.journal, false);
}

void TaskBackend::log_end(const TaskRecord& record) const {
    log_.info(
        "a task ended",
        {{"task_id", record.id},
         {"state", to_string(record.fsm.state())},
         {"code", record.error ? record.error->code : ""},
         {"node_id", record.place ? record.place->node.str() : ""},
         {"pool", record.place ? record.place->pool.str() : ""},
         {"attempts", record.attempts},
         {"tokens", record.tokens_out},
         {"ms", to_ms(*record.ended - record.created)},
         {"identity", record.identity},
         {"correlation_id", record.correlation},
         {"trace_id", net::trace_id_of(record.traceparent)}}
    );
}

void TaskBackend::tell_standing(TaskRecord& record) {
    const Instant now = services_.clock.now();
    record.told_at = now;
    const auto standing = services_.dispatch.dispatcher().standing(*record.ticket, now);
    const bool same =
        standing && record.journal.last() > 0 && standing->ahead == record.standing.ahead;
    if (!standing || same) {
        return;
    }
    record.standing = *standing;
    record.journal.append(
        "queued", api::to_json(api::QueuedEvent{standing->ahead, ms(standing->start_in)})
    );
    settle(record);
}

void TaskBackend::keep_ticking() {
    if (!ticking_) {
        ticking_ = true;
        services_.tasks.spawn(tick());
    }
}

Task<void> TaskBackend::tick() {
    while (table_.size() != 0 || !watchers_.empty()) {
        if (!co_await services_.clock.sleep_for(kTick)) {
            break;
        }
        const Instant now = services_.clock.now();
        look_at_queued(now);
        table_.forget_old(now);
        watchers_.comment(now, config_.comment_after);
    }
    ticking_ = false;
}

void TaskBackend::look_at_queued(Instant now) {
    std::vector<TaskRecord*> queued = table_.unended();
    std::erase_if(queued, [](const TaskRecord* record) { return !record->ticket; });
    const Duration pause =
        kStandingPause + kStandingPausePerTask * static_cast<std::int64_t>(queued.size());
    for (TaskRecord* const record : queued) {
        if (record->deadline && now >= *record->deadline) {
            services_.dispatch.probe().rejected(Errc::deadline_unmet);
            services_.dispatch.placements().no_capacity(record->order.placement);
            Error late{Errc::deadline_unmet, "no slot became free within deadline_ms", {}};
            fail_task(*record, Event::deadline, std::move(late));
        } else if (now - record->told_at >= pause) {
            tell_standing(*record);
        }
    }
}

}  // namespace orch::control::tasks
