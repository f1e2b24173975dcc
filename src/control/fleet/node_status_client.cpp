#include "control/fleet/node_status_client.hpp"

#include "net/http_call.hpp"

#include <fmt/format.h>

#include <utility>

namespace orch::control::fleet {
namespace {

using Outcome = StatusAnswer::Outcome;

StatusAnswer no_answer(const view::Endpoint& endpoint, Outcome outcome, std::string_view why) {
    const HostPort address{endpoint.host, endpoint.port};
    return {outcome, fmt::format("{}: {}", to_string(address), why), {}, {}};
}

StatusAnswer read_body(const view::Endpoint& endpoint, const std::string& text) {
    auto body = api::from_json<api::NodeStatusBody>(text);
    if (!body) {
        return no_answer(endpoint, Outcome::error, "something that is no node answers there");
    }
    return {Outcome::success, {}, std::move(*body), {}};
}

}  // namespace

// What one request brought; `outcome` is success for an answer of any status.
struct NodeStatusClient::Got {
    Outcome outcome = Outcome::error;
    std::string why;
    int status = 0;
    std::string body;
};

Task<NodeStatusClient::Got> NodeStatusClient::get(
    view::Endpoint endpoint, std::string path, Instant end
) {
    net::ClientRequest request;
    request.method = net::Method::get;
    request.to = HostPort{endpoint.host, endpoint.port};
    request.tls = endpoint.tls;
    request.target = std::move(path);
    if (const std::string token = token_.text(); !token.empty()) {
        request.headers.add("Authorization", "Bearer " + token);
    }
    const Duration left = end - clients_.deadlines().now();
    net::CallResult call = co_await net::http_call(clients_, std::move(request), left);
    if (call.failure == net::UpstreamFailure::none) {
        co_return Got{Outcome::success, {}, call.status, std::move(call.body)};
    }
    const bool late = net::timed_out(call.failure);
    co_return Got{late ? Outcome::timeout : Outcome::error, std::move(call.failure_text), 0, {}};
}

Task<StatusAnswer> NodeStatusClient::ask(view::Endpoint endpoint, std::vector<PoolId> pools) {
    const Instant end = clients_.deadlines().now() + kLimit;
    const Got answer = co_await get(endpoint, "/v2/node", end);
    if (answer.outcome != Outcome::success) {
        co_return no_answer(endpoint, answer.outcome, answer.why);
    }
    if (answer.status == 404) {
        co_return co_await ask_earlier(endpoint, std::move(pools), end);
    }
    if (answer.status != 200) {
        const std::string why = fmt::format("GET /v2/node answered with status {}", answer.status);
        co_return no_answer(endpoint, Outcome::error, why);
    }
    co_return read_body(endpoint, answer.body);
}

Task<StatusAnswer> NodeStatusClient::ask_earlier(
    view::Endpoint endpoint, std::vector<PoolId> pools, Instant end
) {
    const Got health = co_await get(endpoint, "/health", end);
    if (health.outcome == Outcome::timeout) {
        co_return no_answer(endpoint, health.outcome, health.why);
    }
    if (health.status != 200) {
        co_return no_answer(endpoint, Outcome::error, "no node answers there");
    }
    StatusAnswer answer;
    answer.outcome = Outcome::success;
    for (const PoolId& pool : pools) {
        std::string path = fmt::format("/pools/{}/status", pool.str());
        const Got status = co_await get(endpoint, std::move(path), end);
        auto told = api::from_json<api::PoolStatus>(status.body);
        if (status.status == 200 && told) {
            answer.pools.push_back(std::move(*told));
        }
    }
    co_return answer;
}

}  // namespace orch::control::fleet
