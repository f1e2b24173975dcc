#pragma once

#include "base/bytes.hpp"
#include "base/clock.hpp"

#include <cstddef>

namespace orch::control::tasks {

// How much of tasks is kept in memory, and for how long.
struct TasksConfig {
    Bytes memory = 256 * kMiB;  // bodies, events, outputs and results of all tasks
    Bytes journal = 4 * kMiB;   // events of one task
    Bytes result = 16 * kMiB;   // of one embedding or rerank
    Duration keep_ended = std::chrono::hours(1);
    std::size_t most_ended = 10'000;
    Duration comment_after = std::chrono::seconds(15);  // a watcher that hears nothing gets ":"
};

}  // namespace orch::control::tasks
