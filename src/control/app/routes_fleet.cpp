#include "api/fleet_messages.hpp"
#include "control/app/control_call.hpp"
#include "control/app/routes.hpp"
#include "net/answer.hpp"
#include "net/route_group.hpp"

#include <utility>

namespace orch::control::app {
namespace {

Task<void> add_node(RouteContext& context, net::Exchange& exchange) {
    auto allowed = refuse_strangers_at_home(context, exchange);
    if (!allowed) {
        co_await exchange.respond_error(std::move(allowed.error()));
        co_return;
    }
    const auto message = api::from_json<api::StaticNodeRequest>(exchange.body());
    if (!message) {
        co_await exchange.respond_error(message.error());
        co_return;
    }
    const auto work = [&context, url = message->url] { return context.fleet.add_node(url); };
    auto added = co_await run_on_control<Result<fleet::AddedNode>>(context, work);
    if (!added) {
        co_await exchange.respond_error(std::move(added.error()));
        co_return;
    }
    net::Response response =
        net::json_response(added->created ? 201 : 200, api::to_json(added->node));
    co_await exchange.respond(std::move(response));
}

Task<void> remove_node(RouteContext& context, net::Exchange& exchange) {
    auto result = refuse_strangers_at_home(context, exchange);
    if (result) {
        const auto work = [&context, node = NodeId(exchange.param("id"))] {
            return context.fleet.remove_node(node);
        };
        result = co_await run_on_control<Result<void>>(context, work);
    }
    co_await net::answer_done(exchange, std::move(result));
}

Task<void> set_cordoned(RouteContext& context, net::Exchange& exchange, bool cordoned) {
    const auto work = [&context, node = NodeId(exchange.param("id")), cordoned] {
        return context.fleet.set_cordoned(node, cordoned);
    };
    auto node = co_await run_on_control<Result<api::NodeInfo>>(context, work);
    co_await net::answer(exchange, 200, std::move(node));
}

Task<void> cordon(RouteContext& context, net::Exchange& exchange) {
    return set_cordoned(context, exchange, true);
}

Task<void> uncordon(RouteContext& context, net::Exchange& exchange) {
    return set_cordoned(context, exchange, false);
}

Task<void> approve(RouteContext& context, net::Exchange& exchange) {
    const auto work = [&context, node = NodeId(exchange.param("id"))] {
        return context.fleet.approve(node);
    };
    auto node = co_await run_on_control<Result<api::NodeInfo>>(context, work);
    co_await net::answer(exchange, 200, std::move(node));
}

Task<void> drain(RouteContext& context, net::Exchange& exchange) {
    const auto message = api::from_json<api::DrainRequest>(exchange.body());
    if (!message) {
        co_await exchange.respond_error(message.error());
        co_return;
    }
    const Duration limit = std::chrono::milliseconds(message->deadline_ms);
    const auto work = [&context, node = NodeId(exchange.param("id")), limit] {
        return context.fleet.drain(node, limit);
    };
    auto node = co_await run_on_control<Result<api::NodeInfo>>(context, work);
    co_await net::answer(exchange, 200, std::move(node));
}

}  // namespace

void add_fleet_routes(net::RouteTable& routes, RouteContext& context) {
    net::RouteGroup group(routes, context, auth::AuthClass::cluster);
    group.post(
        "/v2/nodes/static",
        "A node that does not register is polled at its URL from now on",
        add_node,
        {.example = R"({"url":"http://127.0.0.1:9200"})"}
    );
    group.del(
        "/v2/nodes/{id}",
        "A node leaves; one that was added by its URL is not polled any more",
        remove_node
    );
    group.post("/v2/nodes/{id}/cordon", "A node keeps its work and gets none", cordon);
    group.post("/v2/nodes/{id}/uncordon", "A node takes work again", uncordon);
    group.post(
        "/v2/nodes/{id}/approve",
        "A pending node takes work, now and whenever it comes back",
        approve
    );
    group.post(
        "/v2/nodes/{id}/drain",
        "Cordons a node and waits, deadline_ms at most, until no work of it is left",
        drain,
        {.example = R"({"deadline_ms":60000})"}
    );
}

}  // namespace orch::control::app
