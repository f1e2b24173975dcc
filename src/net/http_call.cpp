#include "net/http_call.hpp"

#include <utility>

namespace orch::net {
namespace {

Task<CallResult> whole_answer(ClientExchange& exchange, ClientRequest request, Duration limit) {
    CallResult result;
    result.failure = co_await exchange.send(std::move(request));
    result.failure_text = exchange.describe(result.failure);
    if (result.failure != UpstreamFailure::none) {
        co_return result;
    }
    result.status = exchange.head().status;
    result.headers = exchange.head().headers;
    for (;;) {
        const BodyPiece piece = co_await exchange.read(limit);
        if (piece.state == BodyPiece::State::complete) {
            co_return result;
        }
        result.failure = piece.failure;
        result.failure_text = to_string(piece.failure);
        if (piece.state == BodyPiece::State::failed) {
            co_return result;
        }
        result.body += piece.bytes;
        if (result.body.size() > kCallBodyLimit) {
            result.failure = UpstreamFailure::malformed;
            result.failure_text = to_string(result.failure);
            co_return result;
        }
    }
}

}  // namespace

bool timed_out(UpstreamFailure failure) {
    return failure == UpstreamFailure::connect_timeout ||
           failure == UpstreamFailure::first_byte_timeout ||
           failure == UpstreamFailure::idle_timeout;
}

Task<CallResult> http_call(ClientPool& pool, ClientRequest request, Duration limit) {
    request.connect_limit = limit;
    request.first_byte_limit = limit;
    ClientExchange exchange(pool);
    Deadline whole(pool.deadlines(), [&exchange] { exchange.close(); });
    whole.arm(limit);
    CallResult result = co_await whole_answer(exchange, std::move(request), limit);
    if (whole.expired() && result.failure == UpstreamFailure::cancelled) {
        result.failure = result.status == 0 ? UpstreamFailure::first_byte_timeout
                                            : UpstreamFailure::idle_timeout;
    }
    co_return result;
}

}  // namespace orch::net
