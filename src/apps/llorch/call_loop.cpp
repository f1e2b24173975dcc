#include "apps/llorch/call_loop.hpp"

#include <csignal>
#include <stdexcept>
#include <utility>

namespace orch::llorch {
namespace {

constexpr Duration kRepeatCancel = std::chrono::milliseconds(5);

}  // namespace

CallLoop::CallLoop(std::shared_ptr<const net::Tls> tls)
    : tls_(tls ? std::move(tls) : std::make_shared<const net::Tls>()),
      pool_(context_.get_executor(), deadlines_),
      signals_(context_.get_executor(), SIGINT),
      timers_(context_.get_executor(), [this](const std::string& what) { bug_ = what; }),
      calls_(context_.get_executor(), [this](const std::string& what) { bug_ = what; }),
      closing_(context_.get_executor(), [this](const std::string& what) { bug_ = what; }) {
    pool_.use_tls(tls_);
}

CallLoop::End CallLoop::run(const std::function<Task<void>(net::ClientPool&)>& call) {
    watch_interrupt();
    timers_.spawn(deadlines_.run());
    calls_.spawn(call(pool_));
    closing_.spawn(wind_down());
    context_.run();
    if (bug_) {
        throw std::runtime_error(*bug_);
    }
    return interrupted_ ? End::interrupted : End::finished;
}

void CallLoop::watch_interrupt() {
    signals_.async_wait([this](boost::system::error_code failure, int) {
        if (!failure) {
            interrupted_ = true;
            boost::system::error_code ignored;
            signals_.clear(ignored);
            closing_.spawn(cancel_calls());
        }
    });
}

// Cancelling ends what a call awaits now; one that goes on to something else is told again.
Task<void> CallLoop::cancel_calls() {
    while (calls_.size() != 0) {
        calls_.cancel();
        co_await clock_.sleep_for(kRepeatCancel);
    }
}

Task<void> CallLoop::wind_down() {
    co_await calls_.join();
    pool_.close_idle();
    boost::system::error_code ignored;
    signals_.cancel(ignored);
    timers_.cancel();
    co_await timers_.join();
}

}  // namespace orch::llorch
