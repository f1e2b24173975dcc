#include "control/fleet/node_client.hpp"

#include "api/error_body.hpp"
#include "api/http_address.hpp"

#include <fmt/format.h>

#include <utility>

namespace orch::control::fleet {
namespace {

constexpr Duration kLimit = std::chrono::seconds(5);

Error error_of(const net::CallResult& answer) {
    const auto body = api::parse_error_body(answer.body);
    if (!body) {
        return {
            Errc::node_unavailable,
            fmt::format("the node answers with status {}", answer.status),
            {}
        };
    }
    return {body->errc().value_or(Errc::internal), body->message, {}};
}

// What the node answered, understood. Errors: node_unavailable, for the fault is not the caller's.
template <class Message>
Result<Message> read(const Result<std::string>& answer) {
    if (!answer) {
        return std::unexpected(answer.error());
    }
    auto message = api::from_json<Message>(*answer);
    if (!message) {
        return fail(
            Errc::node_unavailable,
            fmt::format("the node's answer is not understood: {}", message.error().message)
        );
    }
    return message;
}

}  // namespace

Task<Result<std::string>> NodeClient::call(
    net::Method method, std::string address, std::string path, std::string body
) {
    const auto to = api::parse_http_address(address, "address");
    if (!to) {
        co_return std::unexpected(to.error());
    }
    net::ClientRequest request;
    request.method = method;
    request.to = HostPort{to->host, to->port};
    request.tls = to->tls;
    request.target = std::move(path);
    request.body = body;
    request.headers.add("Content-Type", "application/json");
    if (const std::string token = token_.text(); !token.empty()) {
        request.headers.add("Authorization", "Bearer " + token);
    }
    const net::CallResult answer = co_await net::http_call(clients_, std::move(request), kLimit);
    if (answer.failure != net::UpstreamFailure::none) {
        co_return fail(
            Errc::node_unavailable,
            fmt::format("the node cannot be reached: {}", answer.failure_text)
        );
    }
    if (answer.status >= 300) {
        co_return std::unexpected(error_of(answer));
    }
    co_return answer.body;
}

Task<Result<api::Operation>> NodeClient::begin(
    std::string address, std::string path, std::string body
) {
    const auto answer =
        co_await call(net::Method::post, std::move(address), std::move(path), std::move(body));
    co_return read<api::Operation>(answer);
}

Task<Result<api::Operation>> NodeClient::follow(std::string address, std::string id) {
    std::string path = "/v2/operations/" + id;
    const auto answer =
        co_await call(net::Method::get, std::move(address), std::move(path), std::string());
    co_return read<api::Operation>(answer);
}

Task<Result<void>> NodeClient::remove(std::string address, std::string id) {
    std::string path = "/v2/models/" + id;
    const auto answer =
        co_await call(net::Method::del, std::move(address), std::move(path), std::string());
    if (!answer && answer.error().code != Errc::not_found) {
        co_return std::unexpected(answer.error());
    }
    co_return Result<void>{};
}

Task<Result<api::PoolStatus>> NodeClient::change_pool(
    std::string address, std::string path, std::string body
) {
    const auto answer =
        co_await call(net::Method::post, std::move(address), std::move(path), std::move(body));
    co_return read<api::PoolStatus>(answer);
}

Task<Result<api::PoolStatus>> NodeClient::preload(std::string address, PoolId pool) {
    return change_pool(
        std::move(address), fmt::format("/v2/pools/{}/preload", pool.str()), std::string()
    );
}

Task<Result<api::PoolStatus>> NodeClient::drain(std::string address, PoolId pool, Duration limit) {
    const api::PoolDrainRequest body{static_cast<std::uint64_t>(to_ms(limit))};
    return change_pool(
        std::move(address), fmt::format("/v2/pools/{}/drain", pool.str()), api::to_json(body)
    );
}

Task<Result<api::PoolStatus>> NodeClient::reload(
    std::string address, PoolId pool, api::PoolReloadRequest message
) {
    return change_pool(
        std::move(address), fmt::format("/v2/pools/{}/reload", pool.str()), api::to_json(message)
    );
}

}  // namespace orch::control::fleet
