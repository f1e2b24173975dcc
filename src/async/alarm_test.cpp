#include "async/alarm.hpp"

#include "async/sim_clock.hpp"
#include "async/task_group.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace orch::async {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

struct AlarmTest : testing::Test {
    asio::io_context context;
    SimClock clock{context};
    TaskGroup group{context.get_executor(), [](const std::string& what) { FAIL() << what; }};
    Alarm alarm{clock, context.get_executor()};
    std::vector<Instant> woken;
    bool ended = false;

    void TearDown() override {
        group.cancel();
        clock.run_for(Duration::zero());
        ASSERT_EQ(group.size(), 0U);
    }

    Task<void> wait_again_and_again(Duration nap) {
        while (co_await alarm.wait_until(clock.now() + nap)) {
            woken.push_back(clock.now());
        }
        ended = true;
    }
};

TEST_F(AlarmTest, GoesOffAtItsTime) {
    group.spawn(wait_again_and_again(seconds(10)));
    clock.run_for(seconds(25));
    EXPECT_EQ(woken, (std::vector{Instant{} + seconds(10), Instant{} + seconds(20)}));
}

TEST_F(AlarmTest, IsCutShortWhenRung) {
    group.spawn(wait_again_and_again(hours(24)));
    clock.run_for(seconds(3));
    alarm.ring();
    clock.run_for(seconds(1));
    EXPECT_EQ(woken, std::vector{Instant{} + seconds(3)});
    clock.run_for(hours(24));
    EXPECT_EQ(woken.size(), 2U) << "one ring cuts one wait short";
}

TEST_F(AlarmTest, RemembersARingThatNobodyHeard) {
    alarm.ring();
    group.spawn(wait_again_and_again(hours(1)));
    clock.run_for(Duration::zero());
    EXPECT_EQ(woken, std::vector{Instant{}});
}

TEST_F(AlarmTest, EndsWithItsTask) {
    group.spawn(wait_again_and_again(hours(1)));
    clock.run_for(seconds(1));
    group.cancel();
    clock.run_for(Duration::zero());
    EXPECT_TRUE(ended);
    EXPECT_TRUE(woken.empty());
}

}  // namespace
}  // namespace orch::async
