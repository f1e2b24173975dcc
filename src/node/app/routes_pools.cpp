#include "api/fleet_messages.hpp"
#include "net/answer.hpp"
#include "net/route_group.hpp"
#include "node/app/routes.hpp"

#include <boost/asio/this_coro.hpp>

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
    auto status = co_await async::call_on(context.control, [&context, &exchange] {
        return context.facts.pool_status(PoolId(exchange.param("id")));
    });
    co_await net::answer(exchange, 200, std::move(status));
}

// What the pool is once its start has begun; control thread.
Task<void> begin_preload(
    RouteContext& context, PoolId id, async::Handoff<Result<api::PoolStatus>> done
) {
    const Result<void> begun = co_await context.supervisor.preload(id);
    std::move(done).set(
        begun ? context.facts.pool_status(id)
              : Result<api::PoolStatus>(std::unexpected(begun.error()))
    );
}

Task<void> preload(RouteContext& context, net::Exchange& exchange) {
    const Executor here = co_await asio::this_coro::executor;
    async::Handoff<Result<api::PoolStatus>> done(here);
    context.control.post([&context, done, id = PoolId(exchange.param("id"))] {
        context.tasks.spawn(begin_preload(context, id, done));
    });
    auto status = co_await done.wait();
    co_await net::answer(exchange, 202, std::move(status));
}

Task<void> drain(RouteContext& context, net::Exchange& exchange) {
    const auto message = api::from_json<api::PoolDrainRequest>(exchange.body());
    if (!message) {
        co_await exchange.respond_error(message.error());
        co_return;
    }
    const PoolId id(exchange.param("id"));
    const Duration limit = std::chrono::milliseconds(message->deadline_ms);
    auto status = co_await async::call_on(context.control, [&context, id, limit] {
        const Result<void> begun = context.supervisor.drain(id, limit);
        return begun ? context.facts.pool_status(id)
                     : Result<api::PoolStatus>(std::unexpected(begun.error()));
    });
    co_await net::answer(exchange, 202, std::move(status));
}

}  // namespace

void add_pool_routes(net::RouteTable& routes, RouteContext& context) {
    net::RouteGroup group(routes, context, auth::AuthClass::cluster);
    group.get("/v2/pools", "All pools of this node", list_pools);
    group.get("/v2/pools/{id}", "One pool", get_pool);
    group.get("/v2/pools/{id}/status", "One pool", get_pool, {.routine = true});
    group.get("/pools/{id}/status", "One pool, at its earlier path", get_pool, {.routine = true});
    group.post(
        "/v2/pools/{id}/preload",
        "Starts the engines of a pool that is at rest or drains; its state says when they serve",
        preload
    );
    group.post(
        "/v2/pools/{id}/drain",
        "Nothing new for a pool until it is preloaded: its engines end once idle, at the latest "
        "after deadline_ms",
        drain,
        {.example = R"({"deadline_ms":60000})"}
    );
}

}  // namespace orch::node::app
