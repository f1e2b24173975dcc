#pragma once

#include "api/reload_report.hpp"
#include "async/offload.hpp"
#include "net/route_table.hpp"

#include <functional>

namespace orch::daemon {

// POST /v2/admin/reload, for the cluster's token: reads the settings again and answers what that
// did; 400 INVALID_PARAMS with the sentences when they are wrong. `blocking` and `reload` outlive
// the server; while `reload` is empty the answer is 409.
void add_reload_route(
    net::RouteTable& routes,
    async::BlockingPool& blocking,
    const std::function<api::ReloadReport()>& reload
);

}  // namespace orch::daemon
