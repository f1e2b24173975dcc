#pragma once

#include "apps/llorch/console.hpp"
#include "apps/llorch/endpoint.hpp"
#include "base/clock.hpp"

#include <string>
#include <vector>

namespace orch::llorch {

// The program apart from the process around it. `arguments` without the program's name.
ExitCode run_llorch(
    std::vector<std::string> arguments,
    const Environment& environment,
    const Clock& clock,
    Console& console
);

}  // namespace orch::llorch
