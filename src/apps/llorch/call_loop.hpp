#pragma once

#include "async/async_clock.hpp"
#include "async/task_group.hpp"
#include "net/client_pool.hpp"
#include "net/deadline_list.hpp"

#include <boost/asio/basic_signal_set.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace orch::llorch {

// An event loop for one client call, run on the calling thread. Ctrl-C cancels the call, which
// closes its connection; a second Ctrl-C ends the process.
class CallLoop {
public:
    enum class End { finished, interrupted };

    // `tls`: for a call over https, else null.
    explicit CallLoop(std::shared_ptr<const net::Tls> tls);

    // Runs the coroutine that `call` makes to its end. Once per object.
    // Throws std::runtime_error when an exception left the coroutine: a bug.
    End run(const std::function<Task<void>(net::ClientPool&)>& call);

private:
    void watch_interrupt();
    Task<void> cancel_calls();
    Task<void> wind_down();

    asio::io_context context_{1};
    async::RealClock clock_;
    net::DeadlineList deadlines_{clock_};
    net::LiveTls tls_;
    net::ClientPool pool_;
    asio::basic_signal_set<Executor> signals_;
    std::optional<std::string> bug_;
    async::TaskGroup timers_;  // outlives calls_: their connections need the clock
    async::TaskGroup calls_;
    async::TaskGroup closing_;
    bool interrupted_ = false;
};

}  // namespace orch::llorch
