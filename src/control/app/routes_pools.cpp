#include "api/node_views.hpp"
#include "control/app/routes.hpp"

#include <utility>

namespace orch::control::app {
namespace {

Task<void> list_pools(RouteContext& context, net::Exchange& exchange) {
    const api::PoolList pools = co_await async::call_on(context.control, [&context] {
        return api::make_list(context.registry.table().list_pools());
    });
    net::Response response = net::json_response(200, api::to_json(pools));
    co_await exchange.respond(std::move(response));
}

Task<void> get_pool(RouteContext& context, net::Exchange& exchange) {
    const PoolKey key{NodeId(exchange.param("node")), PoolId(exchange.param("pool"))};
    auto pool = co_await async::call_on(context.control, [&] {
        return context.registry.table().get_pool(key);
    });
    if (!pool) {
        co_await exchange.respond_error(std::move(pool.error()));
        co_return;
    }
    net::Response response = net::json_response(200, api::to_json(*pool));
    co_await exchange.respond(std::move(response));
}

}  // namespace

void add_pool_routes(net::RouteTable& routes, RouteContext& context) {
    routes.add({
        .method = net::Method::get,
        .path = "/v2/pools",
        .auth = auth::AuthClass::cluster,
        .summary = "All pools of all nodes",
        .handler = [&context](net::Exchange& exchange) { return list_pools(context, exchange); },
    });
    routes.add({
        .method = net::Method::get,
        .path = "/v2/nodes/{node}/pools/{pool}",
        .auth = auth::AuthClass::cluster,
        .summary = "One pool of a node",
        .handler = [&context](net::Exchange& exchange) { return get_pool(context, exchange); },
    });
}

}  // namespace orch::control::app
