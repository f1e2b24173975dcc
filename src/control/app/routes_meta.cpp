#include "base/version.hpp"
#include "control/app/routes.hpp"
#include "net/route_group.hpp"

#include <fmt/format.h>

#include <utility>

namespace orch::control::app {
namespace {

Task<void> health(RouteContext& context, net::Exchange& exchange) {
    const view::ClusterView& view = *context.gateway.view_of(exchange.edge());
    const std::size_t nodes = view.nodes_online();
    const std::size_t pools = view.pools_ready();
    net::Response response = net::json_response(
        200,
        fmt::format(
            R"({{"status":"{}","version":"{}","nodes_online":{},"pools_ready":{}}})",
            nodes > 0 && pools > 0 ? "ok" : "degraded",
            program_version(),
            nodes,
            pools
        )
    );
    co_await exchange.respond(std::move(response));
}

Task<void> alive(RouteContext&, net::Exchange& exchange) {
    net::Response response = net::json_response(200, R"({"status":"ok"})");
    co_await exchange.respond(std::move(response));
}

Task<void> show_metrics(RouteContext& context, net::Exchange& exchange) {
    const auto write = [&context] {
        std::string text = context.metrics.expose();
        if (context.more_metrics) {
            text += context.more_metrics();
        }
        return text;
    };
    std::string text = co_await context.scrapes.offload(write);
    net::Response response =
        net::text_response(200, metrics::Registry::kContentType, std::move(text));
    co_await exchange.respond(std::move(response));
}

}  // namespace

void add_meta_routes(net::RouteTable& routes, RouteContext& context) {
    net::RouteGroup group(routes, context, auth::AuthClass::exempt);
    group.get("/health", "Whether work can be done now", health);
    group.get("/livez", "Whether the process lives", alive);
    group.get("/readyz", "Whether requests are taken; nodes do not count", alive);
    group.get("/metrics", "Prometheus metrics", show_metrics);
}

}  // namespace orch::control::app
