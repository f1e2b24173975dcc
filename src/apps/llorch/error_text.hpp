#pragma once

#include "apps/llorch/exit_code.hpp"
#include "base/result.hpp"

#include <string_view>

namespace orch::llorch {

// Why an answer that is no success fails the command: the server's code and message, the reasons
// per place when it sent some, the correlation id to look for in its log. Pure.
Failure failure_of_answer(int http_status, std::string_view body);

// The error event of a stream, or any other text that holds an error envelope.
// `body` without one: "the stream broke off".
Failure failure_of_stream(std::string_view body);

// A success that does not hold what was asked for: something else answers at that address.
Failure failure_of_body(std::string_view request, const Error& error);

}  // namespace orch::llorch
