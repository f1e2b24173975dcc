#pragma once

#include <string_view>

namespace orch {

// The version of all programs, "0.2.0": what the build calls the project.
std::string_view program_version();

}  // namespace orch
