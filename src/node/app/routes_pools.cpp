#include "net/route_group.hpp"
#include "node/app/routes.hpp"

#include <algorithm>
#include <utility>

namespace orch::node::app {
namespace {

Task<void> list_pools(RouteContext& context, net::Exchange& exchange) {
    auto statuses = co_await async::call_on(context.control, [&context] {
        return context.facts.pool_statuses();
    });
    const api::PoolStatusList list = api::make_list(std::move(statuses));
    net::Response response = net::json_response(200, api::to_json(list));
    co_await exchange.respond(std::move(response));
}

Task<void> get_pool(RouteContext& context, net::Exchange& exchange) {
    const PoolId id(exchange.param("id"));
    const auto statuses = co_await async::call_on(context.control, [&context] {
        return context.facts.pool_statuses();
    });
    const auto found = std::ranges::find(statuses, id, &api::PoolStatus::pool_id);
    if (found == statuses.end()) {
        Error unknown{Errc::not_found, "pool " + id.str() + ": not on this node", {}};
        co_await exchange.respond_error(std::move(unknown));
        co_return;
    }
    net::Response response = net::json_response(200, api::to_json(*found));
    co_await exchange.respond(std::move(response));
}

}  // namespace

void add_pool_routes(net::RouteTable& routes, RouteContext& context) {
    net::RouteGroup group(routes, context, auth::AuthClass::cluster);
    group.get("/v2/pools", "All pools of this node", list_pools);
    group.get("/v2/pools/{id}", "One pool", get_pool);
    group.get("/v2/pools/{id}/status", "One pool", get_pool, {.routine = true});
    group.get("/pools/{id}/status", "One pool, at its earlier path", get_pool, {.routine = true});
}

}  // namespace orch::node::app
