#include "node/lease/relay_headers.hpp"

namespace orch::node::lease {

net::Headers headers_for_engine(const net::Exchange& exchange) {
    net::Headers headers = exchange.head().headers;
    net::erase_hop_by_hop(headers);
    for (const char* name :
         {"Host",
          "Content-Length",
          "Expect",
          "Authorization",
          "X-Api-Key",
          "Cookie",
          "X-Conversation-Id",
          "X-Correlation-Id",
          "X-Request-Id",
          "traceparent"}) {
        headers.erase(name);
    }
    headers.add("X-Correlation-Id", exchange.correlation().str());
    headers.add("traceparent", exchange.traceparent());
    return headers;
}

net::Headers headers_from_engine(const net::Headers& engine, const ReplicaId& replica) {
    net::Headers headers = engine;
    net::erase_hop_by_hop(headers);
    for (const char* name :
         {"Content-Length",
          "X-Correlation-Id",
          "X-Request-Id",
          "X-Llorch-Origin",
          "X-Llorch-Replica"}) {
        headers.erase(name);
    }
    headers.add("X-Llorch-Origin", "engine");
    headers.add("X-Llorch-Replica", replica.str());
    return headers;
}

}  // namespace orch::node::lease
