#pragma once

#include "api/openapi.hpp"
#include "net/route_table.hpp"

namespace orch::net {

// Every route of the table, in its order.
std::vector<api::EndpointDoc> describe_routes(const RouteTable& routes);

// Serves GET /openapi.json, without a token: the table as it is when it is asked for, this route
// included. Requires: the table outlives the server.
void add_openapi_route(RouteTable& routes, api::ServiceDoc service);

}  // namespace orch::net
