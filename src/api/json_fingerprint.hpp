#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>

namespace orch::api {

// 64 hex digits that are the same for equal JSON values, in whatever order their keys stand and
// however they are spaced. Errors: invalid_params where the text is not JSON. Pure; any thread.
Result<std::string> json_fingerprint(std::string_view text);

}  // namespace orch::api
