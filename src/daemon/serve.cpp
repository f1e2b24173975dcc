#include "daemon/serve.hpp"

#include <csignal>

namespace orch::daemon {
namespace {

constexpr Duration kLook = std::chrono::seconds(1);

}  // namespace

void serve_until_stopped(
    async::TerminationSignals& signals, Reloader& reloader, const Logger& log
) {
    for (;;) {
        const auto signal = signals.wait_for(kLook);
        if (!signal) {
            reloader.look_at_files();
        } else if (*signal == SIGHUP) {
            reloader.reload();
        } else {
            break;
        }
    }
    log.info("stopping");
}

}  // namespace orch::daemon
