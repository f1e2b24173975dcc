#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/strong_id.hpp"
#include "engine/delta.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace orch::control::tasks {

// How the run of a task ended.
struct RunEnd {
    std::optional<Error> error;         // nothing: the answer came to its end
    std::optional<std::string> result;  // JSON, of an answer that is no stream
    engine::Figures figures;            // what the engine said
    Duration decoding{};                // from the first piece of text to the last, as seen here
};

// What a run has to tell since it last told something; from its edge to the control thread.
struct TaskReport {
    struct Event {
        std::string name;
        std::string data;
    };

    std::optional<PoolKey> place;  // where it is served
    std::uint32_t attempts = 0;
    std::vector<Event> events;
    std::string text;          // more of the output
    std::uint64_t tokens = 0;  // pieces of text, all of them so far
    std::optional<RunEnd> end;

    // Takes in what was told later.
    void append(TaskReport later);
};

}  // namespace orch::control::tasks
