#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace orch {

namespace asio = boost::asio;

// Every coroutine runs on the thread of one io_context. The concrete executor type avoids the
// 5-10 % that asio's type-erased executor costs on the data path.
using Executor = asio::io_context::executor_type;

// A coroutine of ours: started by co_await or by TaskGroup::spawn, cancelled through its group.
template <class T>
using Task = asio::awaitable<T, Executor>;

// Completion tokens for asio operations inside a Task: throwing, and as (error_code, value...).
inline constexpr asio::use_awaitable_t<Executor> use_task{};
inline constexpr auto use_tuple = asio::as_tuple(use_task);

}  // namespace orch
