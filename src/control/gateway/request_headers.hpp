#pragma once

#include "base/result.hpp"
#include "control/admission/priority.hpp"
#include "control/placement/placement_request.hpp"
#include "net/exchange.hpp"
#include "net/headers.hpp"

#include <string>

namespace orch::control::gateway {

// X-Session-Id and X-Llorch-Node, -Pool, -Prefer, -Avoid, -Labels and -Fallback as a placement
// request without a model. Errors: invalid_params naming the header.
Result<placement::PlacementRequest> read_hints(const net::Headers& headers);

// X-Llorch-Priority: interactive, which it is without the header, or batch.
// Errors: invalid_params naming the header.
Result<admission::Priority> read_priority(const net::Headers& headers);

// What goes to the node: the client's headers without hop-by-hop fields, without what is meant for
// the gateway alone (hints, the client's credentials, the web page it is) and without
// X-Conversation-Id, which would detach llama-server's generation from its connection; with the
// correlation id, the trace context and the cluster's token, if there is one.
net::Headers headers_for_node(const net::Exchange& exchange, const std::string& token);

// What goes to the client: the engine's headers without hop-by-hop fields, length, the node's own
// marks and the engine's cross-origin policy, which is the gateway's to set.
net::Headers headers_for_client(const net::Headers& from_node);

}  // namespace orch::control::gateway
