#pragma once

#include "base/clock.hpp"
#include "control/tasks/task_report.hpp"

#include <cstdint>
#include <string_view>

namespace orch::control::tasks {

// Reads the whole events of an engine's stream as a task's events. Pure; one per run.
class AnswerReader {
public:
    // What these events add to the report.
    TaskReport read(std::string_view whole_events, Instant now);

    // The stream has ended in order.
    RunEnd finish() const;

private:
    void add_piece(TaskReport& report, engine::Piece piece, Instant now);

    std::uint64_t tokens_ = 0;
    engine::Figures figures_;
    std::optional<Error> error_;
    Instant first_{};
    Instant last_{};
};

// The error behind an engine's own answer to a request that it refused.
Error error_of_answer(int status, std::string_view body);

}  // namespace orch::control::tasks
