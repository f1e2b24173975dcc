#pragma once

#include "api/task_views.hpp"
#include "apps/llorch/table.hpp"

#include <cstdint>
#include <string>

namespace orch::llorch {

// What `llorch tasks list` prints: a row per task, in the server's order, and under one that failed
// why. `now_ms` is the Unix time, for ages. Pure.
std::string tasks_text(const api::TaskList& list, std::int64_t now_ms, const TextStyle& style);

// What `llorch tasks show` prints: a line per fact, then the output. Pure.
std::string task_text(const api::TaskView& task, std::int64_t now_ms);

}  // namespace orch::llorch
