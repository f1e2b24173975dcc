#pragma once

#include "auth/auth_policy.hpp"
#include "base/bytes.hpp"
#include "net/exchange.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace orch::net {

inline constexpr Bytes kDefaultBodyLimit = 64 * kMiB;
inline constexpr Bytes kNodeApiBodyLimit = kMiB;

using Handler = std::function<Task<void>(Exchange&)>;

// Everything that is known about one endpoint; router, authentication, limits and the API
// description all read it here.
struct Route {
    Method method = Method::get;
    std::string path;  // "/v2/nodes/{id}"; a last segment "{path...}" takes the rest with slashes
    auth::AuthClass auth = auth::AuthClass::cluster;
    Bytes body_limit = kNodeApiBodyLimit;
    std::string summary;
    std::string example{};  // a JSON body that the handler accepts; empty: it takes none
    bool routine = false;   // daemons call it all the time: its access line is for DEBUG
    Handler handler;
};

struct RouteMatch {
    const Route* route = nullptr;  // null: 404, or 405 when `allow` is not empty
    std::vector<std::pair<std::string, std::string>> params;  // decoded
    std::string allow;                                        // "GET, POST"
};

// The routes of one daemon. Of several that fit, one without parameters wins, then the first added;
// a verb that only a later one has is served by that. Filled before the server starts, then only
// read; any thread.
class RouteTable {
public:
    // Requires: no route of the same method and path was added before (asserted).
    void add(Route route);

    RouteMatch match(Method method, std::string_view path) const;

    const std::vector<Route>& routes() const { return routes_; }

private:
    std::vector<Route> routes_;
    std::unordered_map<std::string, std::vector<std::size_t>> exact_;  // paths without parameters
    std::vector<std::size_t> patterns_;
};

}  // namespace orch::net
