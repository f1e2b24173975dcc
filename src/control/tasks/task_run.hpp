#pragma once

#include "base/log.hpp"
#include "control/gateway/caller.hpp"
#include "control/tasks/answer_reader.hpp"
#include "control/tasks/task_order.hpp"
#include "control/tasks/task_report.hpp"
#include "net/edge.hpp"

#include <functional>
#include <memory>
#include <string>

namespace orch::control::tasks {

// What a run needs of its task.
struct RunSpec {
    std::shared_ptr<const api::EngineCall> call;
    CorrelationId correlation;
    std::string traceparent;
    Bytes most_result;
};

// The caller's side of a task that has a slot: turns the engine's answer into reports. On the
// thread of one edge, which the backend picks in turn; the backend keeps it by shared_ptr and
// reaches it by posting. Reports leave in batches: one is on its way at a time, and what happens
// meanwhile goes with the next, so a busy control thread costs a task nothing but fewer batches.
class TaskRun final : public gateway::Caller, public std::enable_shared_from_this<TaskRun> {
public:
    // Carries a report to the control thread and calls `taken` on this edge when it is taken in.
    using Deliver = std::function<void(TaskReport report, std::function<void()> taken)>;

    TaskRun(net::Edge& edge, RunSpec spec, Deliver deliver);

    net::Edge& edge() { return edge_; }

    // The task is canceled: ends what is awaited; no report follows.
    void cancel();

    std::string_view target() const override { return spec_.call->path; }

    std::string_view body() const override { return spec_.call->body; }

    const CorrelationId& correlation() const override { return spec_.correlation; }

    std::string_view traceparent() const override { return spec_.traceparent; }

    net::Headers headers_for_node(const std::string& token) const override;

    void served_by(const PoolKey& pool, std::uint32_t attempt) override;
    Task<bool> respond(net::Response response) override;
    Task<bool> begin(int status, net::Headers headers, std::optional<Bytes> length) override;
    Task<bool> write(std::string_view bytes) override;
    Task<bool> end() override;
    Task<void> refuse(Error error, api::ErrorDetails details) override;
    Task<void> break_off(Error error, bool event_stream) override;

    bool gone() const override { return gone_; }

    void on_gone(std::function<void()> react) override { on_gone_ = std::move(react); }

    void closed(const gateway::RunSummary& summary) override;

private:
    void tell(TaskReport report);
    void tell_started();
    void send_pending();
    RunEnd end_of(int status, std::string body) const;

    net::Edge& edge_;
    RunSpec spec_;
    Deliver deliver_;
    bool gone_ = false;
    std::function<void()> on_gone_;

    PoolKey place_;
    std::uint32_t attempt_ = 0;
    bool started_ = false;
    bool event_stream_ = false;
    int status_ = 0;
    AnswerReader reader_;
    std::string answer_;         // of an answer that is no stream
    std::optional<RunEnd> end_;  // told when the run is closed
    TaskReport pending_;
    bool any_pending_ = false;
    bool on_its_way_ = false;
};

}  // namespace orch::control::tasks
