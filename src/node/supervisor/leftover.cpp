#include "node/supervisor/leftover.hpp"

#include "async/with_deadline.hpp"
#include "node/supervisor/proc_reader.hpp"

#include <boost/asio/this_coro.hpp>

#include <csignal>
#include <utility>

// glibc 2.36 forgot the linkage of these declarations.
extern "C" {
#include <sys/pidfd.h>
}

namespace orch::node::supervisor {
namespace {

using std::chrono::seconds;

constexpr Duration kKillLimit = seconds(10);  // a process in the kernel's hands ends when those do

bool still_runs(const lifecycle::RunRecord& record) {
    const lifecycle::RunFacts facts{load_boot_id(), load_process(record.pid), std::nullopt};
    return lifecycle::decide_run(record, facts) != lifecycle::RunVerdict::gone;
}

}  // namespace

std::optional<Leftover> Leftover::find(Executor executor, lifecycle::RunRecord record) {
    const int descriptor = pidfd_open(static_cast<pid_t>(record.pid), 0);
    if (descriptor < 0) {
        return std::nullopt;
    }
    PidFd pidfd(executor, descriptor);
    // Looked at behind the open: from here on the pid cannot change hands unnoticed.
    if (!still_runs(record)) {
        return std::nullopt;
    }
    return Leftover(std::move(record), std::move(pidfd));
}

void Leftover::signal(int number) {
    pidfd_send_signal(pidfd_.native_handle(), number, nullptr, 0);
}

Task<bool> Leftover::wait(async::AsyncClock& clock, Instant deadline) {
    Task<Result<bool>> end = ended();
    const auto outcome =
        co_await async::with_deadline(clock, deadline, "the engine runs on", std::move(end));
    co_return outcome.has_value() && *outcome;
}

Task<bool> Leftover::wait() {
    const auto end = co_await ended();
    co_return end.value_or(false);
}

Task<Result<bool>> Leftover::ended() {
    co_await asio::this_coro::throw_if_cancelled(false);
    const auto [failure] =
        co_await pidfd_.async_wait(asio::posix::descriptor_base::wait_read, use_tuple);
    co_return !failure;
}

Task<void> end_leftovers(
    async::AsyncClock& clock, std::vector<lifecycle::RunRecord> records, Duration grace, Logger log
) {
    const Executor executor = co_await asio::this_coro::executor;
    std::vector<Leftover> running;
    for (lifecycle::RunRecord& record : records) {
        if (auto found = Leftover::find(executor, std::move(record))) {
            found->signal(SIGTERM);
            running.push_back(std::move(*found));
        }
    }
    const Instant patience = clock.now() + grace;
    for (Leftover& engine : running) {
        bool gone = co_await engine.wait(clock, patience);
        if (!gone) {
            engine.signal(SIGKILL);
            const Instant limit = clock.now() + kKillLimit;
            gone = co_await engine.wait(clock, limit);
        }
        const lifecycle::RunRecord& record = engine.record();
        const LogLevel level = gone ? LogLevel::info : LogLevel::error;
        const LogField fields[] = {
            {"pool", record.pool}, {"replica", record.replica}, {"pid", record.pid}
        };
        log.write(
            level,
            gone ? "an engine left behind by an earlier run was ended"
                 : "an engine left behind by an earlier run does not end",
            fields
        );
    }
}

}  // namespace orch::node::supervisor
