#pragma once

#include "apps/llorch/exit_code.hpp"

#include <string>

namespace orch::llorch {

// Creates the file with the token in it, readable by its owner only. A file that exists is left as
// it is; a failed write leaves none behind. Failures: usage, naming the file.
Outcome<void> create_token_file(const std::string& path, const std::string& token);

}  // namespace orch::llorch
