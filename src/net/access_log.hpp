#pragma once

#include "base/log.hpp"
#include "net/http_server.hpp"

namespace orch::net {

// One line per request with what its handler noted. Probes and metrics are told at DEBUG, refusals
// of the server itself and everything else at INFO, answers of status 500 and more at WARN.
RequestObserver access_log(Logger log);

}  // namespace orch::net
