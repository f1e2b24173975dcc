#pragma once

#include "api/codec.hpp"
#include "api/error_body.hpp"
#include "base/bytes.hpp"
#include "base/strong_id.hpp"

#include <boost/describe/class.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// What the task endpoints answer. Times are Unix milliseconds. Pure; any thread.
namespace orch::api {

struct TaskStreams {
    std::string sse;
    std::string sse_verbose;
};

// What has to be made ready before a task can start: nothing is by the control plane today, models
// and engines are ready before their pool is.
struct TaskPreparation {
    std::vector<std::string> steps;
};

// 202 of POST /v2/tasks.
struct TaskAccepted {
    std::string task_id;
    std::uint64_t queue_position = 0;  // tasks and requests before it; 0 also: it runs
    std::optional<std::int64_t> predicted_start_ms;  // from now; null: nothing was measured yet
    std::int64_t backoff_ms = 0;
    TaskStreams streams;
    TaskPreparation preparation;
};

struct TaskView {
    std::string task_id;
    std::string state;  // queued | running | done | failed | canceled
    std::string model;
    std::string workload;
    std::string priority;
    std::optional<std::string> session_id;
    std::optional<std::uint64_t> queue_position;  // while queued
    std::optional<NodeId> node_id;                // where it ran last
    std::optional<PoolId> pool_id;
    std::uint32_t attempts = 0;  // places that took it
    std::int64_t created_ms = 0;
    std::optional<std::int64_t> started_ms;  // a slot was claimed for it
    std::optional<std::int64_t> ended_ms;
    std::uint64_t tokens_out = 0;
    std::string output;                 // the text so far
    std::optional<std::string> result;  // JSON of an embedding or rerank
    std::optional<ErrorBody> error;
};

struct TaskChoice {
    NodeId node_id;
    PoolId pool_id;
};

struct TaskCandidate {
    NodeId node_id;
    PoolId pool_id;
    bool feasible = false;
    std::vector<std::string> reasons;
    double load = 0;
    Bytes vram_free_bytes = 0;
};

// What would become of a task that came now.
struct TaskPreview {
    std::optional<TaskChoice> decision;  // the pool that would take it at once
    std::optional<std::string> code;     // why it would be refused
    std::optional<std::string> message;  // without a code: what it would wait for to change
    std::optional<std::uint64_t> queue_position;
    std::optional<std::int64_t> predicted_start_ms;
    std::vector<TaskCandidate> candidates;
};

std::string to_json(const TaskAccepted& message);
std::string to_json(const TaskView& message);
std::string to_json(const TaskPreview& message);

// {"tasks":[...],"count":n}, without output and result.
std::string to_json(const std::vector<TaskView>& tasks);

// For who asks: output and result are read where they are.
template <>
Result<TaskAccepted> from_json(std::string_view text);
template <>
Result<TaskView> from_json(std::string_view text);
template <>
Result<TaskPreview> from_json(std::string_view text);

struct TaskList {
    std::vector<TaskView> tasks;
    std::uint64_t count = 0;
};

template <>
Result<TaskList> from_json(std::string_view text);

BOOST_DESCRIBE_STRUCT(TaskStreams, (), (sse, sse_verbose))
BOOST_DESCRIBE_STRUCT(TaskPreparation, (), (steps))
BOOST_DESCRIBE_STRUCT(
    TaskAccepted,
    (),
    (task_id, queue_position, predicted_start_ms, backoff_ms, streams, preparation)
)
BOOST_DESCRIBE_STRUCT(
    TaskView,
    (),
    (task_id,
     state,
     model,
     workload,
     priority,
     session_id,
     queue_position,
     node_id,
     pool_id,
     attempts,
     created_ms,
     started_ms,
     ended_ms,
     tokens_out,
     output,
     error)
)
BOOST_DESCRIBE_STRUCT(TaskChoice, (), (node_id, pool_id))
BOOST_DESCRIBE_STRUCT(
    TaskCandidate, (), (node_id, pool_id, feasible, reasons, load, vram_free_bytes)
)
BOOST_DESCRIBE_STRUCT(
    TaskPreview, (), (decision, code, message, queue_position, predicted_start_ms, candidates)
)
BOOST_DESCRIBE_STRUCT(TaskList, (), (tasks, count))

}  // namespace orch::api
