#pragma once

#include "async/task.hpp"

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/this_coro.hpp>

namespace orch::async {

// Whether a task has been told to stop:
//
//     const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
//     if (told_to_stop(state)) ...
//
// An operation that has completed already when its task is cancelled reports success and the wish
// is lost on it, so whoever starts the next one asks first.
inline bool told_to_stop(const asio::cancellation_state& state) {
    return state.cancelled() != asio::cancellation_type::none;
}

}  // namespace orch::async
