#include "api/fleet_messages.hpp"
#include "api/node_views.hpp"
#include "control/app/control_call.hpp"
#include "control/app/routes.hpp"
#include "net/answer.hpp"
#include "net/route_group.hpp"

#include <utility>

namespace orch::control::app {
namespace {

// The pool that a path names: by node and pool, or without a node while the pool is enough.
// Control thread. Errors: not_found, ambiguous_pool.
Result<PoolKey> find_pool(const registry::NodeTable& table, const PoolKey& named) {
    return named.node.empty() ? table.find_pool(named.pool) : named;
}

PoolKey named_in(const net::Exchange& exchange) {
    return {NodeId(exchange.param("node")), PoolId(exchange.param("pool"))};
}

Result<api::PoolInfo> info_of(RouteContext& context, const net::Exchange& exchange) {
    const registry::NodeTable& table = context.registry.table();
    const auto key = find_pool(table, named_in(exchange));
    return key ? table.get_pool(*key) : std::unexpected(key.error());
}

Result<api::PoolHealth> health_of(RouteContext& context, const net::Exchange& exchange) {
    const auto pool = info_of(context, exchange);
    if (!pool) {
        return std::unexpected(pool.error());
    }
    const auto node = context.registry.table().get(pool->node_id, context.registry.now());
    std::size_t waiting = context.dispatch.dispatcher().waiting("");
    for (const std::string& model : pool->models_available) {
        waiting += context.dispatch.dispatcher().waiting(model);
    }
    return api::make_pool_health(*pool, node && node->online, waiting);
}

// An ambiguous id is answered with the nodes that have such a pool.
Task<void> refuse(RouteContext& context, net::Exchange& exchange, Error error) {
    if (error.code != Errc::ambiguous_pool) {
        co_await exchange.respond_error(std::move(error));
        co_return;
    }
    const PoolId pool(exchange.param("pool"));
    api::ErrorDetails details;
    details.nodes = co_await async::call_on(context.control, [&] {
        return context.registry.table().nodes_with_pool(pool);
    });
    co_await exchange.respond_error(std::move(error), std::move(details), api::kDefaultBackoff);
}

Task<void> list_pools(RouteContext& context, net::Exchange& exchange) {
    const api::PoolList pools = co_await async::call_on(context.control, [&context] {
        return api::make_list(context.registry.table().list_pools());
    });
    net::Response response = net::json_response(200, api::to_json(pools));
    co_await exchange.respond(std::move(response));
}

template <class T>
using Look = Result<T> (*)(RouteContext&, const net::Exchange&);

template <class T>
Task<void> show(RouteContext& context, net::Exchange& exchange, Look<T> look) {
    auto result = co_await async::call_on(context.control, [&context, &exchange, look] {
        return look(context, exchange);
    });
    if (result) {
        co_await net::answer(exchange, 200, std::move(result));
    } else {
        co_await refuse(context, exchange, std::move(result.error()));
    }
}

Task<void> show_pool(RouteContext& context, net::Exchange& exchange) {
    return show<api::PoolInfo>(context, exchange, info_of);
}

Task<void> show_health(RouteContext& context, net::Exchange& exchange) {
    return show<api::PoolHealth>(context, exchange, health_of);
}

template <class Ask>
Task<Result<api::PoolInfo>> ask_if_known(Result<PoolKey> pool, Ask ask) {
    if (!pool) {
        co_return std::unexpected(pool.error());
    }
    co_return co_await ask(*pool);
}

// Asks the pool's node for a change; `ask` returns a Task<Result<api::PoolInfo>>.
template <class Ask>
Task<void> change(RouteContext& context, net::Exchange& exchange, Ask ask) {
    const auto work = [&context, named = named_in(exchange), ask] {
        return ask_if_known(find_pool(context.registry.table(), named), ask);
    };
    auto pool = co_await run_on_control<Result<api::PoolInfo>>(context, work);
    if (pool) {
        co_await net::answer(exchange, 202, std::move(pool));
    } else {
        co_await refuse(context, exchange, std::move(pool.error()));
    }
}

Task<void> preload(RouteContext& context, net::Exchange& exchange) {
    co_await change(context, exchange, [&context](const PoolKey& pool) {
        return context.pools.preload(pool);
    });
}

Task<void> drain(RouteContext& context, net::Exchange& exchange) {
    const auto message = api::from_json<api::PoolDrainRequest>(exchange.body());
    if (!message) {
        co_await exchange.respond_error(message.error());
        co_return;
    }
    const Duration limit = std::chrono::milliseconds(message->deadline_ms);
    co_await change(context, exchange, [&context, limit](const PoolKey& pool) {
        return context.pools.drain(pool, limit);
    });
}

Task<void> reload(RouteContext& context, net::Exchange& exchange) {
    const auto message = api::from_json<api::PoolReloadRequest>(exchange.body());
    if (!message) {
        co_await exchange.respond_error(message.error());
        co_return;
    }
    co_await change(context, exchange, [&context, message = *message](const PoolKey& pool) {
        return context.pools.reload(pool, message);
    });
}

constexpr const char* kDrainExample = R"({"deadline_ms":60000})";
constexpr const char* kReloadExample =
    R"({"new_model_ref":"/models/qwen3-8b-q5.gguf","drain_deadline_ms":60000})";

}  // namespace

void add_pool_routes(net::RouteTable& routes, RouteContext& context) {
    net::RouteGroup group(routes, context, auth::AuthClass::cluster);
    group.get("/v2/pools", "All pools of all nodes", list_pools);
    group.get("/v2/nodes/{node}/pools/{pool}", "One pool of a node", show_pool);
    group.get(
        "/v2/nodes/{node}/pools/{pool}/health", "Whether a pool lives and is ready", show_health
    );
    group.post(
        "/v2/nodes/{node}/pools/{pool}/preload", "A pool that does not run is started", preload
    );
    group.post(
        "/v2/nodes/{node}/pools/{pool}/drain",
        "A pool gets no new work and its engines end: when they are idle, at the latest after "
        "deadline_ms; it stays so until it is preloaded",
        drain,
        {.example = kDrainExample}
    );
    group.post(
        "/v2/nodes/{node}/pools/{pool}/reload",
        "A pool's engines go over to another model under the same name, once their work has ended; "
        "the old one serves on if that takes longer than drain_deadline_ms, or if the new one "
        "fails",
        reload,
        {.example = kReloadExample}
    );
    group.get("/v2/pools/{pool}", "One pool, while its id is unique", show_pool);
    group.get(
        "/v2/pools/{pool}/health", "Whether a pool, while its id is unique, is well", show_health
    );
    group.post(
        "/v2/pools/{pool}/preload", "The same start of a pool, while its id is unique", preload
    );
    group.post(
        "/v2/pools/{pool}/drain",
        "The same drain of a pool, while its id is unique",
        drain,
        {.example = kDrainExample}
    );
    group.post(
        "/v2/pools/{pool}/reload",
        "The same reload of a pool, while its id is unique",
        reload,
        {.example = kReloadExample}
    );
}

}  // namespace orch::control::app
