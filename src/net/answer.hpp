#pragma once

#include "net/exchange.hpp"

#include <utility>

// How a route's handler ends: with what it found, or with why not.
namespace orch::net {

// T is a message with api::to_json().
template <class T>
Task<void> answer(Exchange& exchange, int status, Result<T> result) {
    if (!result) {
        co_await exchange.respond_error(std::move(result.error()));
        co_return;
    }
    Response response = json_response(status, api::to_json(*result));
    co_await exchange.respond(std::move(response));
}

// 204: it is done, and there is nothing to show.
inline Task<void> answer_done(Exchange& exchange, Result<void> result) {
    if (!result) {
        co_await exchange.respond_error(std::move(result.error()));
        co_return;
    }
    Response done;
    done.status = 204;
    co_await exchange.respond(std::move(done));
}

}  // namespace orch::net
