#pragma once

#include "base/clock.hpp"

#include <chrono>

namespace orch {

// A clock that moves only when it is told, for tests. Both times move together. One thread.
class FakeClock final : public Clock {
public:
    explicit FakeClock(WallTime wall = WallTime(std::chrono::milliseconds(1759320000123)))
        : wall_start_(wall) {}

    Instant now() const override { return now_; }

    WallTime wall() const override {
        return wall_start_ + std::chrono::duration_cast<std::chrono::milliseconds>(now_ - kStart);
    }

    void advance(Duration by) { now_ += by; }

private:
    static constexpr Instant kStart{std::chrono::hours(1)};

    WallTime wall_start_;
    Instant now_ = kStart;
};

}  // namespace orch
