#include "api/meta_views.hpp"
#include "api/prometheus_targets.hpp"
#include "control/app/control_call.hpp"
#include "control/app/routes.hpp"
#include "net/route_group.hpp"

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

Task<void> show_version(RouteContext&, net::Exchange& exchange) {
    net::Response response = net::json_response(200, api::to_json(api::make_version_info()));
    co_await exchange.respond(std::move(response));
}

}  // namespace

void add_discovery_routes(net::RouteTable& routes, RouteContext& context) {
    net::RouteGroup machines(routes, context, auth::AuthClass::cluster);
    machines.get(
        "/v2/discovery/prometheus",
        "All nodes in any state, as Prometheus' http_sd takes them",
        list_targets
    );
    net::RouteGroup group(routes, context, auth::AuthClass::client);
    group.get("/v2/meta/capabilities", "What the engines of the cluster can do", show_capabilities);
    group.get("/v2/meta/version", "Versions of the program and of its interfaces", show_version);
}

}  // namespace orch::control::app
