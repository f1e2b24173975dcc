#pragma once

#include "async/task.hpp"
#include "base/clock.hpp"

namespace orch::async {

// A clock that coroutines can wait on. Any thread may read it; sleep_until runs on the caller's.
class AsyncClock : public Clock {
public:
    // Returns at `when`, or early with false if the task was cancelled.
    virtual Task<bool> sleep_until(Instant when) = 0;

    Task<bool> sleep_for(Duration duration) { return sleep_until(now() + duration); }
};

// Real time.
class RealClock final : public AsyncClock {
public:
    Instant now() const override;
    WallTime wall() const override;
    Task<bool> sleep_until(Instant when) override;

private:
    SystemClock system_;
};

}  // namespace orch::async
