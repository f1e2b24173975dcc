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

// What the pool is once its reload has begun; control thread.
Task<void> begin_reload(
    RouteContext& context,
    PoolId id,
    api::PoolReloadRequest message,
    async::Handoff<Result<api::PoolStatus>> done
) {
    const Duration limit = std::chrono::milliseconds(message.drain_deadline_ms);
    const Result<void> begun = co_await context.supervisor.reload(id, message.new_model_ref, limit);
    std::move(done).set(
        begun ? context.facts.pool_status(id)
              : Result<api::PoolStatus>(std::unexpected(begun.error()))
    );
}

Task<void> reload(RouteContext& context, net::Exchange& exchange) {
    const auto message = api::from_json<api::PoolReloadRequest>(exchange.body());
    if (!message) {
        co_await exchange.respond_error(message.error());
        co_return;
    }
    const Executor here = co_await asio::this_coro::executor;
    async::Handoff<Result<api::PoolStatus>> done(here);
    context.control.post([&context, done, message = *message, id = PoolId(exchange.param("id"))] {
        context.tasks.spawn(begin_reload(context, id, message, done));
    });
    auto status = co_await done.wait();
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
    group.post(
        "/v2/pools/{id}/reload",
        "Another model for a pool, under its name, until the daemon's next start: its engines end "
        "once idle and start anew, unless work is left after drain_deadline_ms; the old model "
        "serves again if the new one does not start",
        reload,
        {.example = R"({"new_model_ref":"/models/b.gguf","drain_deadline_ms":60000})"}
    );
}

}  // namespace orch::node::app
