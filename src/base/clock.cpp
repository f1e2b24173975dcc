#include "base/clock.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace orch {

Instant SystemClock::now() const {
    return std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now());
}

WallTime SystemClock::wall() const {
    return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now()
    );
}

std::int64_t unix_ms(WallTime time) {
    return time.time_since_epoch().count();
}

std::int64_t to_ms(Duration duration) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

std::string rfc3339(WallTime time) {
    const auto whole = std::chrono::floor<std::chrono::seconds>(time);
    const std::int64_t ms = (time - whole).count();
    const std::time_t seconds = whole.time_since_epoch().count();
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03d}Z", fmt::gmtime(seconds), ms);
}

}  // namespace orch
