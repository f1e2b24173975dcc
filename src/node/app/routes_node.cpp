#include "base/version.hpp"
#include "metrics/registry.hpp"
#include "net/access_log.hpp"
#include "node/app/routes.hpp"

#include <fmt/format.h>

#include <utility>

namespace orch::node::app {
namespace {

Task<void> get_node(RouteContext& context, net::Exchange& exchange) {
    exchange.note(net::kRoutineNote, "poll");
    const api::NodeStatusBody body = co_await async::call_on(context.control, [&context] {
        return api::make_node_status(
            context.facts.registration(context.address()),
            context.facts.heartbeat(context.sequence.next())
        );
    });
    net::Response response = net::json_response(200, api::to_json(body));
    co_await exchange.respond(std::move(response));
}

Task<void> health(net::Exchange& exchange) {
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
    routes.add({
        .method = net::Method::get,
        .path = "/health",
        .auth = auth::AuthClass::exempt,
        .body_limit = net::kNodeApiBodyLimit,
        .summary = "Whether the daemon lives",
        .handler = health,
    });
    routes.add({
        .method = net::Method::get,
        .path = "/metrics",
        .auth = auth::AuthClass::exempt,
        .body_limit = net::kNodeApiBodyLimit,
        .summary = "Prometheus metrics",
        .handler = [&context](net::Exchange& exchange) { return show_metrics(context, exchange); },
    });
    routes.add({
        .method = net::Method::get,
        .path = "/v2/node",
        .auth = auth::AuthClass::cluster,
        .body_limit = net::kNodeApiBodyLimit,
        .summary = "What registration and heartbeat say, in one",
        .handler = [&context](net::Exchange& exchange) { return get_node(context, exchange); },
    });
}

}  // namespace orch::node::app
