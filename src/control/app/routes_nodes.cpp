#include "api/node_messages.hpp"
#include "api/node_views.hpp"
#include "control/app/routes.hpp"

#include <utility>

namespace orch::control::app {
namespace {

// In HOME only the node in this process may register, whoever else has a token.
Result<void> refuse_strangers_at_home(const RouteContext& context, const net::Exchange& exchange) {
    if (context.profile == Profile::home && exchange.identity() != "home-node") {
        return fail(
            Errc::cloud_profile_disabled,
            "nodes cannot join: start orchestratord with ORCHESTRATORD_CLOUD_PROFILE=true"
        );
    }
    return {};
}

template <class T>
Task<void> answer(net::Exchange& exchange, Result<T> result) {
    if (!result) {
        co_await exchange.respond_error(std::move(result.error()));
        co_return;
    }
    net::Response response = net::json_response(200, api::to_json(*result));
    co_await exchange.respond(std::move(response));
}

template <class T>
Result<T> read_message(const net::Exchange& exchange) {
    auto message = api::from_json<T>(exchange.body());
    if (!message) {
        return message;
    }
    if (auto valid = validate(*message); !valid) {
        return std::unexpected(valid.error());
    }
    return message;
}

Task<void> register_node(RouteContext& context, net::Exchange& exchange) {
    auto allowed = refuse_strangers_at_home(context, exchange);
    if (!allowed) {
        co_await exchange.respond_error(std::move(allowed.error()));
        co_return;
    }
    const auto message = read_message<api::RegisterRequest>(exchange);
    if (!message) {
        co_await exchange.respond_error(message.error());
        co_return;
    }
    exchange.note("node_id", message->node_id.str());
    auto result = co_await async::call_on(context.control, [&] {
        return context.registry.register_node(*message);
    });
    co_await answer(exchange, std::move(result));
}

Task<void> heartbeat(RouteContext& context, net::Exchange& exchange) {
    auto allowed = refuse_strangers_at_home(context, exchange);
    if (!allowed) {
        co_await exchange.respond_error(std::move(allowed.error()));
        co_return;
    }
    const NodeId node(exchange.param("id"));
    const auto message = read_message<api::HeartbeatRequest>(exchange);
    if (!message) {
        co_await exchange.respond_error(message.error());
        co_return;
    }
    auto result = co_await async::call_on(context.control, [&] {
        return context.registry.heartbeat(node, *message);
    });
    co_await answer(exchange, std::move(result));
}

Task<void> deregister(RouteContext& context, net::Exchange& exchange) {
    auto result = refuse_strangers_at_home(context, exchange);
    if (result) {
        const NodeId node(exchange.param("id"));
        result = co_await async::call_on(context.control, [&] {
            return context.registry.deregister(node);
        });
    }
    if (!result) {
        co_await exchange.respond_error(std::move(result.error()));
        co_return;
    }
    net::Response gone;
    gone.status = 204;
    co_await exchange.respond(std::move(gone));
}

Task<void> list_nodes(RouteContext& context, net::Exchange& exchange) {
    Result<api::NodeList> nodes = co_await async::call_on(context.control, [&context] {
        return Result<api::NodeList>(
            api::make_list(context.registry.table().list(context.registry.now()))
        );
    });
    co_await answer(exchange, std::move(nodes));
}

Task<void> get_node(RouteContext& context, net::Exchange& exchange) {
    const NodeId node(exchange.param("id"));
    auto info = co_await async::call_on(context.control, [&] {
        return context.registry.table().get(node, context.registry.now());
    });
    co_await answer(exchange, std::move(info));
}

}  // namespace

void add_node_routes(net::RouteTable& routes, RouteContext& context) {
    const auto add = [&](net::Method method, const char* path, const char* summary, auto handler) {
        routes.add({
            .method = method,
            .path = path,
            .auth = auth::AuthClass::cluster,
            .body_limit = net::kNodeApiBodyLimit,
            .summary = summary,
            .handler = [&context,
                        handler](net::Exchange& exchange) { return handler(context, exchange); },
        });
    };
    using net::Method;
    add(Method::post, "/v2/nodes/register", "A node joins, or tells its new shape", register_node);
    add(Method::post, "/v2/nodes/{id}/heartbeat", "A node tells its state", heartbeat);
    add(Method::del, "/v2/nodes/{id}", "A node leaves", deregister);
    add(Method::get, "/v2/nodes", "All nodes in any state", list_nodes);
    add(Method::get, "/v2/nodes/{id}", "One node", get_node);
}

}  // namespace orch::control::app
