#pragma once

#include "async/async_clock.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "node/lifecycle/run_record.hpp"

#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include <optional>
#include <vector>

namespace orch::node::supervisor {

// An engine that an earlier run of the daemon started and did not end. It is no child of this
// process: how it ends is not told, only that it did. Signals reach it through a
// pidfd that is checked against the record's start time: never a process that got its pid later.
class Leftover {
public:
    // Nothing when the process of the record has ended.
    static std::optional<Leftover> find(Executor executor, lifecycle::RunRecord record);

    const lifecycle::RunRecord& record() const { return record_; }

    void signal(int number);

    // Whether it has ended at `deadline`.
    Task<bool> wait(async::AsyncClock& clock, Instant deadline);

    // True when it has ended, false when the waiting task was cancelled.
    Task<bool> wait();

private:
    using PidFd = asio::posix::basic_stream_descriptor<Executor>;

    Leftover(lifecycle::RunRecord record, PidFd pidfd)
        : record_(std::move(record)), pidfd_(std::move(pidfd)) {}

    Task<Result<bool>> ended();

    lifecycle::RunRecord record_;
    PidFd pidfd_;
};

// Ends those of `records` that still run: SIGTERM to all, SIGKILL after `grace`. Returns when they
// are gone; one that does not end is told in the log.
Task<void> end_leftovers(
    async::AsyncClock& clock, std::vector<lifecycle::RunRecord> records, Duration grace, Logger log
);

}  // namespace orch::node::supervisor
