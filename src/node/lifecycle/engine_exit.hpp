#pragma once

#include <string>
#include <string_view>

namespace orch::node::lifecycle {

// How an engine process ended.
struct EngineExit {
    int code = 0;               // meaningful while signal == 0
    int signal = 0;             // the signal that killed it
    bool known = true;          // false for an adopted engine: only a parent learns the rest
    std::string log_tail = {};  // the last lines of its log
};

// Why, as far as its log tells.
enum class ExitReason {
    ended,          // nothing more specific: the exit code says it all
    killed,         // by a signal
    port_lost,      // somebody else took the port between choosing it and listening
    out_of_memory,  // of the host or of a GPU
    cuda_error,
    model_error,  // the file is missing, damaged, or of a kind the engine does not know
};

std::string_view to_string(ExitReason reason);

ExitReason classify_exit(const EngineExit& exit);

// One sentence for people: "exit code 1 (model_error): error loading model: ...".
std::string describe_exit(const EngineExit& exit);

}  // namespace orch::node::lifecycle
