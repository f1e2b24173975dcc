#include "node/app/routes.hpp"

namespace orch::node::app {

void add_engine_routes(net::RouteTable& routes, RouteContext& context) {
    for (const net::Method method : {net::Method::post, net::Method::get}) {
        routes.add({
            .method = method,
            .path = "/v2/pools/{id}/engine/{path...}",
            .auth = auth::AuthClass::cluster,
            .body_limit = net::kDefaultBodyLimit,
            .summary = "A request for one of the pool's engines, on a leased slot",
            .example = method == net::Method::post
                           ? R"({"messages":[{"role":"user","content":"Hello"}],"max_tokens":64})"
                           : "",
            .handler = [&context](net::Exchange& exchange
                       ) { return context.relay.serve(exchange); },
        });
    }
}

}  // namespace orch::node::app
