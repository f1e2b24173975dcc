#include "control/fleet/reachability.hpp"

#include "api/node_messages.hpp"
#include "net/http_call.hpp"

#include <fmt/format.h>

#include <utility>

namespace orch::control::fleet {
namespace {

constexpr Duration kLimit = std::chrono::seconds(2);

net::ClientRequest get(const view::Endpoint& endpoint, const char* path, const std::string& token) {
    net::ClientRequest request;
    request.method = net::Method::get;
    request.to = HostPort{endpoint.host, endpoint.port};
    request.tls = endpoint.tls;
    request.target = path;
    if (!token.empty()) {
        request.headers.add("Authorization", "Bearer " + token);
    }
    return request;
}

Reachability unreachable(const view::Endpoint& endpoint, std::string_view why) {
    return {false, fmt::format("{}:{}: {}", endpoint.host, endpoint.port, why)};
}

Reachability judge(const NodeId& node, const view::Endpoint& endpoint, const std::string& body) {
    const auto answer = api::from_json<api::NodeStatusBody>(body);
    if (!answer) {
        return unreachable(endpoint, "something that is no node answers there");
    }
    if (answer->node_id != node) {
        return unreachable(
            endpoint, fmt::format("another node answers there: {}", answer->node_id.str())
        );
    }
    return {true, {}};
}

}  // namespace

Task<Reachability> ReachabilityCheck::check(NodeId node, view::Endpoint endpoint) {
    net::ClientRequest request = get(endpoint, "/v2/node", token_.text());
    const net::CallResult answer = co_await net::http_call(clients_, std::move(request), kLimit);
    if (answer.failure != net::UpstreamFailure::none) {
        co_return unreachable(endpoint, answer.failure_text);
    }
    if (answer.status == 404) {
        net::ClientRequest health = get(endpoint, "/health", token_.text());
        const net::CallResult alive = co_await net::http_call(clients_, std::move(health), kLimit);
        const bool well = alive.failure == net::UpstreamFailure::none && alive.status == 200;
        co_return well ? Reachability{true, {}} : unreachable(endpoint, "no node answers there");
    }
    if (answer.status != 200) {
        co_return unreachable(
            endpoint, fmt::format("GET /v2/node answered with status {}", answer.status)
        );
    }
    co_return judge(node, endpoint, answer.body);
}

}  // namespace orch::control::fleet
