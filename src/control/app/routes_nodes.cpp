#include "api/node_messages.hpp"
#include "api/node_views.hpp"
#include "control/app/control_call.hpp"
#include "control/app/routes.hpp"
#include "net/answer.hpp"
#include "net/route_group.hpp"

#include <utility>

namespace orch::control::app {
namespace {

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
    co_await net::answer(exchange, 200, std::move(result));
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
    co_await net::answer(exchange, 200, std::move(result));
}

Task<void> list_nodes(RouteContext& context, net::Exchange& exchange) {
    Result<api::NodeList> nodes = co_await async::call_on(context.control, [&context] {
        return Result<api::NodeList>(
            api::make_list(context.registry.table().list(context.registry.now()))
        );
    });
    co_await net::answer(exchange, 200, std::move(nodes));
}

Task<void> get_node(RouteContext& context, net::Exchange& exchange) {
    const NodeId node(exchange.param("id"));
    auto info = co_await async::call_on(context.control, [&] {
        return context.registry.table().get(node, context.registry.now());
    });
    co_await net::answer(exchange, 200, std::move(info));
}

constexpr const char* kRegisterExample =
    R"({"node_id":"gpu-1","machine_id":"rack-a-1","address":"http://127.0.0.1:9200",)"
    R"("pools":["chat"],"capabilities":{"gpus":[{"device_id":0,"name":"NVIDIA L4",)"
    R"("vram_total_bytes":24000000000,"compute_capability":"8.9"}]},"version":"0.2.0",)"
    R"("api_version":"1.0","boot_id":"b-1"})";

constexpr const char* kHeartbeatExample =
    R"({"timestamp":"2025-10-01T12:00:00Z","seq":7,"boot_id":"b-1","pools":[{"pool_id":"chat",)"
    R"("ready":true,"slots_total":4,"slots_free":3,"active_leases":1,"served_name":"qwen3-8b",)"
    R"("models_available":["qwen3-8b"]}]})";

}  // namespace

void add_node_routes(net::RouteTable& routes, RouteContext& context) {
    net::RouteGroup group(routes, context, auth::AuthClass::cluster);
    group.post(
        "/v2/nodes/register",
        "A node joins, or tells its new shape",
        register_node,
        {.example = kRegisterExample}
    );
    group.post(
        "/v2/nodes/{id}/heartbeat",
        "A node tells its state",
        heartbeat,
        {.example = kHeartbeatExample, .routine = true}
    );
    group.get("/v2/nodes", "All nodes in any state", list_nodes);
    group.get("/v2/nodes/{id}", "One node", get_node);
}

}  // namespace orch::control::app
