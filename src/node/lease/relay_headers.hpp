#pragma once

#include "base/strong_id.hpp"
#include "net/exchange.hpp"
#include "net/headers.hpp"

namespace orch::node::lease {

// What the engine gets: the request's headers without hop-by-hop fields and without those that
// mean something to the node only. X-Conversation-Id would detach llama-server's generation from
// its connection.
net::Headers headers_for_engine(const net::Exchange& exchange);

// What the caller gets: the engine's headers without hop-by-hop fields, marked as the engine's and
// with the replica's name.
net::Headers headers_from_engine(const net::Headers& engine, const ReplicaId& replica);

}  // namespace orch::node::lease
