#include "apps/llorch/exit_code.hpp"

namespace orch::llorch {

ExitCode exit_code_for(int http_status) {
    if (http_status >= 200 && http_status < 300) {
        return ExitCode::ok;
    }
    switch (http_status) {
        case 401:
        case 403:
            return ExitCode::unauthorised;
        case 404:
            return ExitCode::not_found;
        default:
            return ExitCode::refused;
    }
}

}  // namespace orch::llorch
