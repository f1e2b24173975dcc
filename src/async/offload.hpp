#pragma once

#include "async/event_loop.hpp"
#include "async/task.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>

#include <cstddef>
#include <utility>

namespace orch::async {

// Threads for work that blocks: file copies, hashing, waiting for a command.
class BlockingPool {
public:
    explicit BlockingPool(std::size_t threads) : pool_(threads) {}

    ~BlockingPool() { pool_.join(); }

    BlockingPool(const BlockingPool&) = delete;
    BlockingPool& operator=(const BlockingPool&) = delete;

    // Runs `work` on a thread of the pool and resumes the caller on its own with the result.
    template <class F>
    Task<std::invoke_result_t<F>> offload(F work) {
        const Executor here = co_await asio::this_coro::executor;
        Handoff<std::invoke_result_t<F>> done(here);
        asio::post(pool_, [done, work = std::move(work)]() mutable {
            std::move(done).set(work());
        });
        co_return co_await done.wait_to_end();
    }

private:
    asio::thread_pool pool_;
};

}  // namespace orch::async
