#include "node/lifecycle/crash_reason.hpp"

namespace orch::node::lifecycle {

std::string_view to_string(CrashReason reason) {
    switch (reason) {
        case CrashReason::exited:
            return "exited";
        case CrashReason::killed:
            return "killed";
        case CrashReason::out_of_memory:
            return "out_of_memory";
        case CrashReason::cuda_error:
            return "cuda_error";
        case CrashReason::model_error:
            return "model_error";
        case CrashReason::port_lost:
            return "port_lost";
        case CrashReason::spawn_failed:
            return "spawn_failed";
        case CrashReason::start_timeout:
            return "start_timeout";
        case CrashReason::hung:
            return "hung";
        case CrashReason::bad_answers:
            return "bad_answers";
        case CrashReason::not_listening:
            return "not_listening";
    }
    return "exited";
}

}  // namespace orch::node::lifecycle
