#include "api/meta_views.hpp"
#include "api/prometheus_targets.hpp"
#include "control/app/control_call.hpp"
#include "control/app/routes.hpp"

#include <utility>

namespace orch::control::app {
namespace {

Task<void> list_targets(RouteContext& context, net::Exchange& exchange) {
    const auto groups = co_await async::call_on(context.control, [&context] {
        return api::make_prometheus_targets(context.registry.table().list(context.registry.now()));
    });
    net::Response response = net::json_response(200, api::to_json(groups));
    co_await exchange.respond(std::move(response));
}

Task<void> show_capabilities(RouteContext& context, net::Exchange& exchange) {
    const api::Capabilities all = co_await async::call_on(context.control, [&context] {
        return api::make_capabilities(context.registry.table().list_pools());
    });
    net::Response response = net::json_response(200, api::to_json(all));
    co_await exchange.respond(std::move(response));
}

Task<void> show_version(net::Exchange& exchange) {
    net::Response response = net::json_response(200, api::to_json(api::make_version_info()));
    co_await exchange.respond(std::move(response));
}

}  // namespace

void add_discovery_routes(net::RouteTable& routes, RouteContext& context) {
    routes.add({
        .method = net::Method::get,
        .path = "/v2/discovery/prometheus",
        .auth = auth::AuthClass::cluster,
        .summary = "All nodes in any state, as Prometheus' http_sd takes them",
        .handler = [&context](net::Exchange& exchange) { return list_targets(context, exchange); },
    });
    routes.add({
        .method = net::Method::get,
        .path = "/v2/meta/capabilities",
        .auth = auth::AuthClass::client,
        .summary = "What the engines of the cluster can do",
        .handler = [&context](net::Exchange& exchange
                   ) { return show_capabilities(context, exchange); },
    });
    routes.add({
        .method = net::Method::get,
        .path = "/v2/meta/version",
        .auth = auth::AuthClass::client,
        .summary = "Versions of the program and of its interfaces",
        .handler = [](net::Exchange& exchange) { return show_version(exchange); },
    });
}

}  // namespace orch::control::app
