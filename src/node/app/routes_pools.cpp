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
    const auto add = [&](const char* path, const char* summary, auto handler) {
        routes.add({
            .method = net::Method::get,
            .path = path,
            .auth = auth::AuthClass::cluster,
            .body_limit = net::kNodeApiBodyLimit,
            .summary = summary,
            .handler = [&context,
                        handler](net::Exchange& exchange) { return handler(context, exchange); },
        });
    };
    add("/v2/pools", "All pools of this node", list_pools);
    add("/v2/pools/{id}", "One pool", get_pool);
    add("/v2/pools/{id}/status", "One pool", get_pool);
    add("/pools/{id}/status", "One pool, at its earlier path", get_pool);
}

}  // namespace orch::node::app
