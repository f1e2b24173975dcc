#pragma once

#include <string_view>

namespace orch::node::lifecycle {

// What made an engine be started again. The wire text is the enumerator.
enum class CrashReason {
    exited,         // nothing more specific: the exit code says it all
    killed,         // by a signal
    out_of_memory,  // of the host or of a GPU
    cuda_error,
    model_error,   // the file is missing, damaged, or of a kind the engine does not know
    port_lost,     // its port serves something else, or was taken before it listened
    spawn_failed,  // no process came to be
    start_timeout,
    hung,           // no answer, and no work done meanwhile
    bad_answers,    // it answers, and not as an engine that works does
    not_listening,  // the process lives, its port is closed
};

std::string_view to_string(CrashReason reason);

}  // namespace orch::node::lifecycle
