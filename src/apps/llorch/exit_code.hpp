#pragma once

#include <expected>
#include <string>

namespace orch::llorch {

// What the process ends with; scripts rely on these numbers.
enum class ExitCode {
    ok = 0,
    refused = 1,       // the server said no, or its answer is of no use
    usage = 2,         // the command line, a setting or a local file is wrong
    unreachable = 3,   // nobody answered at the address
    unauthorised = 4,  // 401 or 403
    not_found = 5,     // any 404
    interrupted = 130  // Ctrl-C
};

ExitCode exit_code_for(int http_status);

// Why a command ends early.
struct Failure {
    ExitCode code = ExitCode::refused;
    std::string text;  // for standard error, without the program's name; may have several lines
};

template <class T>
using Outcome = std::expected<T, Failure>;

inline std::unexpected<Failure> failed(ExitCode code, std::string text) {
    return std::unexpected<Failure>(Failure{code, std::move(text)});
}

}  // namespace orch::llorch
