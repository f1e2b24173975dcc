#pragma once

#include <optional>
#include <string_view>

namespace orch {

// Every way a request or an operation can fail, as the public error codes name it.
// The wire text is the enumerator in upper case; api/error_table.hpp maps each to HTTP.
enum class Errc {
    invalid_params,           // a field, header or parameter is missing, ill-typed or out of range
    deadline_unmet,           // the deadline cannot be kept, so the work is not begun
    untrusted_artifact,       // an artifact fails the trust policy
    context_length_exceeded,  // prompt and answer do not fit the model's context
    missing_token,            // a token is required and none was sent
    bad_token,                // the token is not one of the valid ones
    forbidden,                // the caller is known and may not do this
    not_found,                // no such route or resource
    method_not_allowed,       // the route exists, the verb does not
    conflict,                 // the request contradicts the present state
    ambiguous_pool,           // a short pool id names pools of several nodes
    model_deprecated,         // the model is retired
    payload_too_large,        // the body exceeds the route's limit
    request_timeout,          // the client sent its request too slowly
    headers_too_large,        // the head exceeds its limit
    admission_reject,         // the queue is full, or the request waited too long in it
    queue_full_drop_lru,      // the request was evicted from a full queue by a newer one
    quota_exceeded,           // the caller's quota is used up
    model_not_found,          // no known node lists the model
    model_not_available,      // the model is known, but no pool is ready to serve it
    node_unavailable,         // the pinned node or pool is unknown, offline or refuses
    pool_unready,             // the pool exists and is not ready
    pool_unavailable,         // nothing fits the request, or everything is avoided
    replica_exhausted,        // a node has no free slot: the lease race was lost
    cloud_profile_disabled,   // node registration is off in the HOME profile
    decode_timeout,           // no first byte in time, or a stream was silent too long
    worker_reset,             // the node or engine died in the middle of the request
    cancelled,                // the client gave up
    internal,                 // a defect of this program; the log has the details
};

// "INVALID_PARAMS" for Errc::invalid_params.
std::string_view wire_name(Errc code);

// The inverse of wire_name; nothing for text that is no code.
std::optional<Errc> errc_from_wire(std::string_view text);

}  // namespace orch
