#include "base/clock.hpp"

#include "base/clock_fake.hpp"

#include <gtest/gtest.h>

namespace orch {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(ClockText, IsRfc3339InUtcWithMilliseconds) {
    EXPECT_EQ(rfc3339(WallTime(milliseconds(1759320000123))), "2025-10-01T12:00:00.123Z");
    EXPECT_EQ(rfc3339(WallTime(milliseconds(1759320000007))), "2025-10-01T12:00:00.007Z");
    EXPECT_EQ(rfc3339(WallTime{}), "1970-01-01T00:00:00.000Z");
    EXPECT_EQ(rfc3339(WallTime(milliseconds(1709164800000))), "2024-02-29T00:00:00.000Z");
}

TEST(ClockText, IsRightBeforeTheEpoch) {
    EXPECT_EQ(rfc3339(WallTime(milliseconds(-1))), "1969-12-31T23:59:59.999Z");
    EXPECT_EQ(rfc3339(WallTime(milliseconds(-1000))), "1969-12-31T23:59:59.000Z");
}

TEST(ClockNumbers, AreWholeMilliseconds) {
    EXPECT_EQ(unix_ms(WallTime(milliseconds(5))), 5);
    EXPECT_EQ(to_ms(seconds(2)), 2000);
    EXPECT_EQ(to_ms(Duration(1'999'999)), 1);
}

TEST(SystemClock, NeverGoesBack) {
    const SystemClock clock;
    const Instant first = clock.now();
    EXPECT_LE(first, clock.now());
    EXPECT_GT(unix_ms(clock.wall()), 1'700'000'000'000);
}

TEST(FakeClock, MovesBothTimesWhenTold) {
    FakeClock clock;
    const Instant before = clock.now();
    const WallTime wall = clock.wall();
    clock.advance(seconds(3));
    EXPECT_EQ(clock.now() - before, seconds(3));
    EXPECT_EQ(clock.wall() - wall, seconds(3));
}

}  // namespace
}  // namespace orch
