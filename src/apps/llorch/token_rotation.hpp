#pragma once

#include "apps/llorch/command_line.hpp"
#include "apps/llorch/exit_code.hpp"

#include <string>
#include <string_view>

namespace orch::llorch {

// A token file after one step of a rotation, and what to do next.
struct Rotated {
    std::string content;
    std::string text;  // for people; names tokens by their fp6
};

// One step. A comment in the file remembers where the rotation stands; other lines stay. Pure.
//
//   one token --add--> old, new --send_new--> new, old --drop_old--> one token
//
// Between two steps the file is copied to every machine. Machines whose files differ by one step
// accept what the others send, so the copying may take any time. `fresh` is the new token of `add`.
// Failures: usage, naming the file and the step that is due.
Outcome<Rotated> plan_rotation(
    RotationStep step, std::string_view content, const std::string& path, std::string_view fresh
);

}  // namespace orch::llorch
