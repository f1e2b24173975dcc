#pragma once

#include "auth/live_auth.hpp"
#include "net/http_server.hpp"

namespace orch::net {

// Lets a request pass only if the policy does, and tells the exchange who is calling. A path that
// no route serves is judged like a client route, so that a stranger learns nothing of the routes.
// Requires: `live` outlives the server.
Middleware auth_middleware(const auth::LiveAuth& live);

}  // namespace orch::net
