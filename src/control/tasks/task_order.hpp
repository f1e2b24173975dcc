#pragma once

#include "api/task_submit.hpp"
#include "base/clock.hpp"
#include "base/strong_id.hpp"
#include "control/admission/priority.hpp"
#include "control/placement/placement_request.hpp"

#include <memory>
#include <optional>
#include <string>

namespace orch::control::tasks {

using TaskId = StrongId<struct TaskIdTag>;

// A task in the control plane's words: what to ask of an engine, and where.
struct TaskOrder {
    std::shared_ptr<const api::EngineCall> call;  // never null
    placement::PlacementRequest placement;
    admission::Priority priority = admission::Priority::interactive;
    std::optional<Duration> deadline;  // how long it may wait
    ModelKind kind = ModelKind::chat;
    std::optional<std::string> session_id;
};

// Requires: validate() passed. Without allow_fallback a preference may be dropped and a pin may
// not.
TaskOrder make_order(const api::TaskSubmit& message);

std::string_view workload_of(ModelKind kind);  // completion | embedding | rerank

}  // namespace orch::control::tasks
