#pragma once

#include "base/log.hpp"
#include "net/http_server.hpp"

#include <atomic>
#include <cstdint>

namespace orch::net {

// One line per request with what its handler noted. Probes, metrics and what daemons ask each other
// all the time are told at DEBUG when they went well; refusals of the server itself and everything
// else at INFO, answers of status 500 and more at WARN. Of requests that went well only one in
// `sample` is told, the same ones by all daemons (1 = all); errors and answers that were cut always
// are. `sample` is looked at for each request; it outlives the observer.
RequestObserver access_log(Logger log, const std::atomic<std::uint64_t>& sample);

}  // namespace orch::net
