#include "base/version.hpp"
#include "metrics/registry.hpp"
#include "net/route_group.hpp"
#include "node/app/routes.hpp"

#include <fmt/format.h>

#include <utility>

namespace orch::node::app {
namespace {

Task<void> get_node(RouteContext& context, net::Exchange& exchange) {
    const api::NodeStatusBody body = co_await async::call_on(context.control, [&context] {
        return api::make_node_status(
            context.facts.registration(context.address()),
            context.facts.heartbeat(context.sequence.next())
        );
    });
    net::Response response = net::json_response(200, api::to_json(body));
    co_await exchange.respond(std::move(response));
}

Task<void> health(RouteContext&, net::Exchange& exchange) {
    net::Response response = net::json_response(
        200, fmt::format(R"({{"status":"ok","version":"{}"}})", program_version())
    );
    co_await exchange.respond(std::move(response));
}

Task<void> show_metrics(RouteContext& context, net::Exchange& exchange) {
    net::Response response =
        net::text_response(200, metrics::Registry::kContentType, context.metrics());
    co_await exchange.respond(std::move(response));
}

}  // namespace

void add_node_routes(net::RouteTable& routes, RouteContext& context) {
    net::RouteGroup open(routes, context, auth::AuthClass::exempt);
    open.get("/health", "Whether the daemon lives", health);
    open.get("/metrics", "Prometheus metrics", show_metrics);
    net::RouteGroup group(routes, context, auth::AuthClass::cluster);
    group.get(
        "/v2/node", "What registration and heartbeat say, in one", get_node, {.routine = true}
    );
}

}  // namespace orch::node::app
