#include "apps/llorch/api_client.hpp"

#include "apps/llorch/call_loop.hpp"
#include "base/version.hpp"

#include <fmt/format.h>

#include <utility>

namespace orch::llorch {
namespace {

constexpr Duration kConnectLimit = std::chrono::seconds(5);
constexpr Duration kControlLimit = std::chrono::seconds(15);
constexpr Duration kInferenceLimit = std::chrono::hours(2);

}  // namespace

struct ApiClient::Call {
    std::string body;
    Duration limit;  // of each wait for the answer
    const OnPiece& on_piece;
    int status = 0;  // 0 until the head of the answer is here
    net::UpstreamFailure failure = net::UpstreamFailure::none;
    std::string reason{};  // the failure in words

    Task<void> perform(net::ClientPool& pool, net::ClientRequest request);
};

Task<void> ApiClient::Call::perform(net::ClientPool& pool, net::ClientRequest request) {
    net::ClientExchange exchange(pool);
    failure = co_await exchange.send(std::move(request));
    reason = exchange.describe(failure);
    if (failure != net::UpstreamFailure::none) {
        co_return;
    }
    status = exchange.head().status;
    for (;;) {
        const net::BodyPiece piece = co_await exchange.read(limit);
        if (piece.state != net::BodyPiece::State::data) {
            failure = piece.failure;
            reason = to_string(failure);
            co_return;
        }
        on_piece(status, piece.bytes);
    }
}

ApiClient::ApiClient(Endpoint endpoint) : endpoint_(std::move(endpoint)) {}

Outcome<Answer> ApiClient::get(std::string path) {
    return call(net::Method::get, std::move(path), {});
}

Outcome<Answer> ApiClient::remove(std::string path) {
    return call(net::Method::del, std::move(path), {});
}

Outcome<Answer> ApiClient::call(
    net::Method method, std::string path, std::string body, Duration wait
) {
    Answer answer;
    const OnPiece collect = [&answer](int, std::string_view piece) { answer.body += piece; };
    const auto status =
        send(method, std::move(path), Call{std::move(body), kControlLimit + wait, collect});
    if (!status) {
        return std::unexpected(status.error());
    }
    answer.status = *status;
    return answer;
}

Outcome<int> ApiClient::post(std::string path, std::string body, const OnPiece& on_piece) {
    return send(
        net::Method::post, std::move(path), Call{std::move(body), kInferenceLimit, on_piece}
    );
}

Outcome<int> ApiClient::follow(std::string path, const OnPiece& on_piece) {
    return send(net::Method::get, std::move(path), Call{{}, kInferenceLimit, on_piece});
}

Outcome<int> ApiClient::send(net::Method method, std::string path, Call call) {
    net::ClientRequest request = make_request(method, std::move(path), call);
    CallLoop loop(endpoint_.tls);
    const auto end =
        loop.run([&](net::ClientPool& pool) { return call.perform(pool, std::move(request)); });
    if (end == CallLoop::End::interrupted) {
        return failed(ExitCode::interrupted, "");
    }
    return outcome_of(call);
}

net::ClientRequest ApiClient::make_request(net::Method method, std::string path, const Call& call)
    const {
    net::ClientRequest request;
    request.method = method;
    request.to = endpoint_.address;
    request.tls = endpoint_.tls != nullptr;
    request.target = std::move(path);
    request.body = call.body;
    request.connect_limit = kConnectLimit;
    request.first_byte_limit = call.limit;
    request.headers.add("User-Agent", fmt::format("llorch/{}", program_version()));
    if (!call.body.empty()) {
        request.headers.add("Content-Type", "application/json");
    }
    if (!endpoint_.token.empty()) {
        request.headers.add("Authorization", "Bearer " + endpoint_.token.reveal());
    }
    return request;
}

Outcome<int> ApiClient::outcome_of(const Call& call) const {
    if (call.failure == net::UpstreamFailure::none) {
        return call.status;
    }
    const std::string& why = call.reason;
    if (call.status != 0) {
        return failed(
            ExitCode::refused, fmt::format("the answer of {} broke off: {}", endpoint_.url, why)
        );
    }
    return failed(
        ExitCode::unreachable,
        fmt::format(
            "cannot reach {}: {}\n  the address comes from --url or LLORCH_URL", endpoint_.url, why
        )
    );
}

}  // namespace orch::llorch
