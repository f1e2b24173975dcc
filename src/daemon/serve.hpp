#pragma once

#include "async/termination.hpp"
#include "base/log.hpp"
#include "daemon/reloader.hpp"

namespace orch::daemon {

// What a daemon's main thread does while the others work: looks at the token and TLS files every
// second, reads everything again on SIGHUP and returns on SIGTERM or SIGINT.
void serve_until_stopped(async::TerminationSignals& signals, Reloader& reloader, const Logger& log);

}  // namespace orch::daemon
