#pragma once

#include <cstdint>
#include <string_view>

namespace orch::net {

// Whether a request is among the one in `every` that get an access line. Decided by the trace id
// alone, so that all daemons on a request's way choose the same requests. 0 and 1: every request;
// so does a request without a trace id. Pure.
bool is_sampled(std::string_view trace_id, std::uint64_t every);

}  // namespace orch::net
