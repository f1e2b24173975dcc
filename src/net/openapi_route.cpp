#include "net/openapi_route.hpp"

#include <utility>

namespace orch::net {
namespace {

std::string_view name_of(auth::AuthClass auth) {
    switch (auth) {
        case auth::AuthClass::exempt:
            return "exempt";
        case auth::AuthClass::client:
            return "client";
        case auth::AuthClass::cluster:
            break;
    }
    return "cluster";
}

Task<void> show(std::string document, Exchange& exchange) {
    Response response = json_response(200, std::move(document));
    co_await exchange.respond(std::move(response));
}

}  // namespace

std::vector<api::EndpointDoc> describe_routes(const RouteTable& routes) {
    std::vector<api::EndpointDoc> endpoints;
    for (const Route& route : routes.routes()) {
        endpoints.push_back({
            .method = std::string(to_string(route.method)),
            .path = route.path,
            .auth = std::string(name_of(route.auth)),
            .summary = route.summary,
            .example_body = route.example,
        });
    }
    return endpoints;
}

void add_openapi_route(RouteTable& routes, api::ServiceDoc service) {
    routes.add({
        .method = Method::get,
        .path = "/openapi.json",
        .auth = auth::AuthClass::exempt,
        .summary = "This description",
        .handler =
            [&routes, service = std::move(service)](Exchange& exchange) {
                return show(api::make_openapi(service, describe_routes(routes)), exchange);
            },
    });
}

}  // namespace orch::net
