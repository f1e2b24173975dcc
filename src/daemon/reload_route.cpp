#include "daemon/reload_route.hpp"

#include "net/exchange.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

namespace orch::daemon {
namespace {

Task<void> answer(
    net::Exchange& exchange,
    async::BlockingPool& blocking,
    std::function<api::ReloadReport()> reload
) {
    if (!reload) {
        Error error{Errc::conflict, "this server has no settings to read again", {}};
        co_await exchange.respond_error(std::move(error));
        co_return;
    }
    const api::ReloadReport report = co_await blocking.offload([&reload] { return reload(); });
    if (!report.success) {
        Error error{Errc::invalid_params, fmt::format("{}", fmt::join(report.errors, "; ")), {}};
        co_await exchange.respond_error(std::move(error));
        co_return;
    }
    exchange.note("changed", fmt::format("{}", fmt::join(report.changed, ",")));
    net::Response response = net::json_response(200, api::to_json(report));
    co_await exchange.respond(std::move(response));
}

}  // namespace

void add_reload_route(
    net::RouteTable& routes,
    async::BlockingPool& blocking,
    const std::function<api::ReloadReport()>& reload
) {
    routes.add({
        .method = net::Method::post,
        .path = "/v2/admin/reload",
        .auth = auth::AuthClass::cluster,
        .body_limit = net::kNodeApiBodyLimit,
        .summary = "Reads the settings, tokens and certificates again",
        .handler = [&blocking, &reload](net::Exchange& exchange
                   ) { return answer(exchange, blocking, reload); },
    });
}

}  // namespace orch::daemon
