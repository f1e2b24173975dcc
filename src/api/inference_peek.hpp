#pragma once

#include "base/result.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace orch::api {

// The few fields of an inference body that routing needs.
struct InferencePeek {
    std::optional<std::string> model;   // absent, null and "" are all nothing
    bool stream = false;                // absent and null are false
    std::optional<bool> include_usage;  // stream_options.include_usage
};

// Checks that `body` is one JSON object (64 levels at most) and reads those fields in one pass
// without building a tree; of a repeated key the last counts. Never throws, whatever the bytes.
// Errors: invalid_params naming "the body", "model", "stream" or "stream_options...".
// Pure; any thread.
Result<InferencePeek> peek_inference(std::string_view body);

}  // namespace orch::api
