#pragma once

#include "base/result.hpp"
#include "net/client_exchange.hpp"

#include <string>

namespace orch::net {

// A small whole answer.
struct CallResult {
    UpstreamFailure failure = UpstreamFailure::none;  // set: there is no answer
    std::string failure_text{};                       // the same for people, with its cause
    int status = 0;
    Headers headers;
    std::string body;
};

// Whether time ran out, at whatever stage.
bool timed_out(UpstreamFailure failure);

inline constexpr Bytes kCallBodyLimit = 16 * kMiB;

// Sends a request and reads the whole answer: for control traffic, not for the data path.
// `limit` bounds the call as a whole, from the connection to the last byte; an answer over
// kCallBodyLimit counts as malformed.
Task<CallResult> http_call(ClientPool& pool, ClientRequest request, Duration limit);

}  // namespace orch::net
