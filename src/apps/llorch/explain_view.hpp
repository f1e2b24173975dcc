#pragma once

#include "api/task_views.hpp"
#include "apps/llorch/table.hpp"

#include <string>

namespace orch::llorch {

// What `llorch explain` prints: where a request would go now, or why nowhere, then the pools that
// were considered, in the order in which they would be tried, and what speaks for or against each.
// Pure.
std::string explain_text(const api::TaskPreview& preview, const TextStyle& style);

}  // namespace orch::llorch
