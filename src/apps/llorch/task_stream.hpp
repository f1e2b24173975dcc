#pragma once

#include "apps/llorch/exit_code.hpp"
#include "engine/sse.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace orch::llorch {

// Reads the events of a task, in whatever pieces they arrive. Pure.
//
//   open -- end --> done
//   open -- end with canceled, error, or data that is no JSON --> broken
//
// What follows either is ignored.
class TaskStream {
public:
    // The text that these bytes complete: of answer tokens, or a result as JSON.
    std::string feed(std::string_view bytes);

    // The body has ended: nothing when the task was done. Failures: refused.
    std::optional<Failure> end() const;

private:
    void take_event(const engine::Event& event, std::string& text);

    engine::EventBuffer events_;
    bool done_ = false;
    std::optional<Failure> failure_;
};

}  // namespace orch::llorch
