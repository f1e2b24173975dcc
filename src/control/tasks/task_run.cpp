#include "control/tasks/task_run.hpp"

#include "api/task_events.hpp"

#include <fmt/format.h>

#include <utility>

namespace orch::control::tasks {

TaskRun::TaskRun(net::Edge& edge, RunSpec spec, Deliver deliver)
    : edge_(edge), spec_(std::move(spec)), deliver_(std::move(deliver)) {}

void TaskRun::cancel() {
    gone_ = true;
    if (const std::function<void()> react = std::exchange(on_gone_, nullptr)) {
        react();
    }
}

net::Headers TaskRun::headers_for_node(const std::string& token) const {
    net::Headers headers;
    headers.add("Content-Type", "application/json");
    headers.add("X-Correlation-Id", spec_.correlation.str());
    headers.add("traceparent", spec_.traceparent);
    if (!token.empty()) {
        headers.add("Authorization", "Bearer " + token);
    }
    return headers;
}

void TaskRun::served_by(const PoolKey& pool, std::uint32_t attempt) {
    place_ = pool;
    attempt_ = attempt;
}

void TaskRun::tell_started() {
    if (std::exchange(started_, true)) {
        return;
    }
    TaskReport report;
    report.place = place_;
    report.attempts = attempt_;
    report.events.push_back(
        {"started", api::to_json(api::StartedEvent{place_.node, place_.pool, attempt_})}
    );
    tell(std::move(report));
}

Task<bool> TaskRun::respond(net::Response response) {
    if (response.status == 200) {
        tell_started();
    }
    end_ = end_of(response.status, std::move(response.body));
    co_return !gone_;
}

Task<bool> TaskRun::begin(int status, net::Headers headers, std::optional<Bytes>) {
    constexpr std::string_view kEventStream = "text/event-stream";
    const std::string_view type = headers.find("Content-Type").value_or("");
    status_ = status;
    event_stream_ =
        status == 200 && net::iequals(type.substr(0, kEventStream.size()), kEventStream);
    if (status == 200) {
        tell_started();
    }
    co_return !gone_;
}

Task<bool> TaskRun::write(std::string_view bytes) {
    if (event_stream_) {
        tell(reader_.read(bytes, edge_.clock().now()));
    } else if (answer_.size() + bytes.size() <= spec_.most_result) {
        answer_ += bytes;
    } else {
        end_.emplace();
        end_->error = Error{
            Errc::payload_too_large,
            fmt::format("the result exceeds {} bytes: send fewer inputs", spec_.most_result),
            {}
        };
    }
    co_return !gone_;
}

Task<bool> TaskRun::end() {
    if (event_stream_) {
        end_ = reader_.finish();
    } else if (!end_) {
        end_ = end_of(status_, std::move(answer_));
    }
    co_return !gone_;
}

RunEnd TaskRun::end_of(int status, std::string body) const {
    RunEnd end;
    if (status != 200) {
        end.error = error_of_answer(status, body);
        return end;
    }
    if (body.size() > spec_.most_result) {
        end.error = Error{
            Errc::payload_too_large,
            fmt::format("the result exceeds {} bytes: send fewer inputs", spec_.most_result),
            {}
        };
        return end;
    }
    end.figures = engine::parse_figures(body);
    end.result = std::move(body);
    return end;
}

Task<void> TaskRun::refuse(Error error, api::ErrorDetails) {
    end_.emplace();
    end_->error = std::move(error);
    co_return;
}

Task<void> TaskRun::break_off(Error error, bool) {
    end_.emplace();
    end_->error = std::move(error);
    co_return;
}

void TaskRun::closed(const gateway::RunSummary& summary) {
    TaskReport report;
    report.place = summary.place;
    report.attempts = summary.attempts;
    if (!end_) {
        end_.emplace();
        end_->error = Error{Errc::worker_reset, "the task's run was ended", {}};
    }
    report.end = std::move(end_);
    tell(std::move(report));
}

void TaskRun::tell(TaskReport report) {
    if (gone_) {
        return;
    }
    pending_.append(std::move(report));
    any_pending_ = true;
    if (!on_its_way_) {
        send_pending();
    }
}

void TaskRun::send_pending() {
    any_pending_ = false;
    on_its_way_ = true;
    deliver_(std::exchange(pending_, {}), [self = shared_from_this()] {
        self->on_its_way_ = false;
        if (self->any_pending_) {
            self->send_pending();
        }
    });
}

}  // namespace orch::control::tasks
