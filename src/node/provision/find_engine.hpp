#pragma once

#include "base/result.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace orch::node::provision {

// Whether a file of this path exists and may be executed.
using IsExecutable = std::function<bool(const std::string& path)>;

// Where an engine may be looked for.
struct EngineSearch {
    std::optional<std::string>
        setting;                 // what the operator chose, if anything: a path or a name on PATH
    std::string setting_name;    // "POOL_MANAGERD_ENGINE_BINARY", as it was given
    std::string path;            // the daemon's PATH
    std::string program_folder;  // where the daemon's own program lies
};

struct FoundEngine {
    std::string binary;
    std::string reason;  // one sentence for the log: which one, and why
};

// The program that serves llama.cpp models: what the operator chose, else `llama-server` on PATH,
// else the launcher that a source tree's `make setup` installs. A simulated engine is never found.
// A setting that names nothing executable is an error, never a reason to look elsewhere.
// Errors: not_found, with a sentence that says what to do.
Result<FoundEngine> find_engine(const EngineSearch& search, const IsExecutable& is_executable);

}  // namespace orch::node::provision
