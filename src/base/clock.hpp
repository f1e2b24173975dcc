#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace orch {

// Monotonic time. Deadlines and ages are measured with it, never with the wall clock.
using Duration = std::chrono::nanoseconds;
using Instant = std::chrono::time_point<std::chrono::steady_clock, Duration>;

// Time of day, for people and for the wire only.
using WallTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::milliseconds>;

// Where time comes from. Injected everywhere; the only real one is SystemClock.
class Clock {
public:
    Clock() = default;
    virtual ~Clock() = default;
    Clock(const Clock&) = delete;
    Clock& operator=(const Clock&) = delete;

    virtual Instant now() const = 0;
    virtual WallTime wall() const = 0;
};

class SystemClock final : public Clock {
public:
    Instant now() const override;
    WallTime wall() const override;
};

std::int64_t unix_ms(WallTime time);
std::int64_t to_ms(Duration duration);

// "2025-10-01T12:00:00.123Z"
std::string rfc3339(WallTime time);

}  // namespace orch
