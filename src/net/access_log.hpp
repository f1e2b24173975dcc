#pragma once

#include "base/log.hpp"
#include "net/http_server.hpp"

#include <cstdint>

namespace orch::net {

// The note of a request that comes by itself every few seconds: of thousands of nodes, such lines
// would be all that a log holds.
inline constexpr const char* kRoutineNote = "routine";

// One line per request with what its handler noted. Probes and metrics are told at DEBUG, and so
// are requests with a kRoutineNote that went well; refusals of the server itself and everything
// else at INFO, answers of status 500 and more at WARN. Of requests that went well only one in
// `sample` is told, the same ones by all daemons (1 = all); errors and answers that were cut always
// are.
RequestObserver access_log(Logger log, std::uint64_t sample);

}  // namespace orch::net
