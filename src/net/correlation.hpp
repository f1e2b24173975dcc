#pragma once

#include "base/rng.hpp"
#include "base/strong_id.hpp"
#include "net/headers.hpp"

#include <string>

namespace orch::net {

// The request's X-Correlation-Id if it is a valid id, else a new UUID.
CorrelationId correlation_of(const Headers& headers, Rng& rng);

// The request's W3C traceparent if it is well-formed, else a new one.
std::string traceparent_of(const Headers& headers, Rng& rng);

// The 32 hex digits of the trace id; empty when `traceparent` is malformed.
std::string_view trace_id_of(std::string_view traceparent);

}  // namespace orch::net
