#pragma once

#include "base/result.hpp"

#include <optional>
#include <string>

namespace orch::control::registry {

// A node of our major version and of our minor version or an older one is understood, and so is
// one that names no version. Errors: invalid_params naming api_version.
Result<void> check_api_version(const std::optional<std::string>& version);

}  // namespace orch::control::registry
