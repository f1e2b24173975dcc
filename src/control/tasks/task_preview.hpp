#pragma once

#include "api/error_body.hpp"
#include "api/task_views.hpp"
#include "base/result.hpp"
#include "control/gateway/dispatcher.hpp"

// What is told of a decision before a task runs. Pure.
namespace orch::control::tasks {

// Where a task would go. `served`: whether its model is served at all.
api::TaskPreview make_preview(const gateway::Outlook& outlook, const Result<void>& served);

// The reasons of every pool, for a refusal.
api::ErrorDetails reasons_of(const placement::Decision& decision);

}  // namespace orch::control::tasks
