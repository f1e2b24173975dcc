#include "api/operation.hpp"
#include "control/app/routes.hpp"
#include "net/answer.hpp"
#include "net/route_group.hpp"

#include <fmt/format.h>

#include <utility>

namespace orch::control::app {
namespace {

constexpr Duration kLookAgain = std::chrono::milliseconds(250);
constexpr Duration kKeepAlive = std::chrono::seconds(15);

Task<Result<api::Operation>> find_operation(RouteContext& context, std::string id) {
    co_return co_await async::call_on(context.control, [&]() -> Result<api::Operation> {
        const api::Operation* const found = context.catalog.operations().find(id);
        return found != nullptr
                   ? Result<api::Operation>(*found)
                   : fail(Errc::not_found, fmt::format("the operation '{}' is unknown", id));
    });
}

Task<void> list_operations(RouteContext& context, net::Exchange& exchange) {
    const api::OperationList list = co_await async::call_on(context.control, [&context] {
        return api::make_list(context.catalog.operations().list());
    });
    net::Response response = net::json_response(200, api::to_json(list));
    co_await exchange.respond(std::move(response));
}

Task<void> get_operation(RouteContext& context, net::Exchange& exchange) {
    auto operation = co_await find_operation(context, exchange.param("id"));
    co_await net::answer(exchange, 200, std::move(operation));
}

net::Headers stream_headers() {
    net::Headers headers;
    headers.add("Content-Type", "text/event-stream");
    headers.add("Cache-Control", "no-cache");
    headers.add("X-Accel-Buffering", "no");
    return headers;
}

// "progress" whenever the operation has moved, at most four times a second, and one "end".
Task<void> watch_operation(RouteContext& context, net::Exchange& exchange) {
    const std::string id = exchange.param("id");
    auto operation = co_await find_operation(context, id);
    if (!operation) {
        co_await exchange.respond_error(std::move(operation.error()));
        co_return;
    }
    net::Headers headers = stream_headers();
    if (!co_await exchange.begin(200, std::move(headers), std::nullopt)) {
        co_return;
    }
    async::AsyncClock& clock = exchange.edge().clock();
    Instant written = clock.now();
    std::string shown;
    while (operation) {
        std::string now = api::to_json(*operation);
        std::string event;
        if (now != shown) {
            event = fmt::format(
                "event: {}\ndata: {}\n\n", operation->ended() ? "end" : "progress", now
            );
            shown = std::move(now);
        } else if (clock.now() - written > kKeepAlive) {
            event = ": still running\n\n";
        }
        if (!event.empty()) {
            written = clock.now();
            if (!co_await exchange.write(event)) {
                co_return;
            }
        }
        if (operation->ended()) {
            break;
        }
        if (!co_await clock.sleep_for(kLookAgain)) {
            exchange.abort();
            co_return;
        }
        operation = co_await find_operation(context, id);
    }
    co_await exchange.end();
}

}  // namespace

void add_operation_routes(net::RouteTable& routes, RouteContext& context) {
    net::RouteGroup group(routes, context, auth::AuthClass::cluster);
    group.get("/v2/operations", "Long operations, the newest first", list_operations);
    group.get("/v2/operations/{id}", "How far a long operation is", get_operation);
    group.get("/v2/operations/{id}/events", "The same as server-sent events", watch_operation);
}

}  // namespace orch::control::app
