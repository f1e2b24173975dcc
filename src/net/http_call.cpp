#include "net/http_call.hpp"

#include <utility>

namespace orch::net {

Task<CallResult> http_call(ClientPool& pool, ClientRequest request, Duration limit) {
    request.connect_limit = limit;
    request.first_byte_limit = limit;
    ClientExchange exchange(pool);
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

}  // namespace orch::net
