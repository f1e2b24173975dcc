#include "api/openai.hpp"
#include "control/app/routes.hpp"
#include "control/registry/model_listing.hpp"
#include "net/route_group.hpp"

#include <algorithm>
#include <utility>

namespace orch::control::app {
namespace {

api::ModelList models_of(const RouteContext& context, net::Exchange& exchange) {
    return registry::list_models(
        *context.gateway.view_of(exchange.edge()), context.started_seconds
    );
}

Task<void> list_models(RouteContext& context, net::Exchange& exchange) {
    net::Response response = net::json_response(200, api::to_json(models_of(context, exchange)));
    co_await exchange.respond(std::move(response));
}

Task<void> get_model(RouteContext& context, net::Exchange& exchange) {
    const std::string& id = exchange.param("model");
    const api::ModelList models = models_of(context, exchange);
    const auto found = std::ranges::find(models.data, id, &api::ModelEntry::id);
    if (found == models.data.end()) {
        Error unknown{Errc::model_not_found, "model: no node lists '" + id + "'", {}};
        co_await exchange.respond_error(std::move(unknown));
        co_return;
    }
    net::Response response = net::json_response(200, api::to_json(*found));
    co_await exchange.respond(std::move(response));
}

}  // namespace

void add_model_routes(net::RouteTable& routes, RouteContext& context) {
    net::RouteGroup group(routes, context, auth::AuthClass::client);
    group.get("/v1/models", "Served models, as OpenAI lists them", list_models);
    group.get("/v1/models/{model...}", "One served model", get_model);
}

}  // namespace orch::control::app
