#include "net/deadline_list.hpp"

#include "async/sim_clock.hpp"
#include "async/task_group.hpp"

#include <gtest/gtest.h>

#include <memory>

namespace orch::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct DeadlineListTest : testing::Test {
    asio::io_context context;
    async::SimClock clock{context};
    DeadlineList list{clock};
    async::TaskGroup group{context.get_executor(), nullptr};

    void SetUp() override { group.spawn(list.run()); }

    void TearDown() override {
        group.cancel();
        clock.run_for(Duration::zero());
    }
};

TEST_F(DeadlineListTest, AShortenedWaitCountsFromItsBeginning) {
    Deadline deadline(list, [] {});
    deadline.arm(seconds(600));
    clock.run_for(seconds(20));
    deadline.shorten(seconds(30));
    clock.run_for(seconds(9));
    EXPECT_FALSE(deadline.expired());
    clock.run_for(seconds(1) + DeadlineList::kTick);
    EXPECT_TRUE(deadline.expired());
}

TEST_F(DeadlineListTest, ShorteningNeverProlongsAndArmsNothing) {
    Deadline armed(list, [] {});
    Deadline idle(list, [] {});
    armed.arm(seconds(1));
    armed.shorten(seconds(30));
    idle.shorten(Duration::zero());
    clock.run_for(seconds(1) + DeadlineList::kTick);
    EXPECT_TRUE(armed.expired());
    EXPECT_FALSE(idle.expired());
}

TEST_F(DeadlineListTest, ExpiresOnceWithinATickOfItsTime) {
    int expiries = 0;
    Deadline deadline(list, [&] { ++expiries; });
    deadline.arm(milliseconds(500));
    clock.run_for(milliseconds(499));
    EXPECT_EQ(expiries, 0);
    EXPECT_FALSE(deadline.expired());
    clock.run_for(milliseconds(1) + DeadlineList::kTick);
    EXPECT_EQ(expiries, 1);
    EXPECT_TRUE(deadline.expired());
    clock.run_for(seconds(10));
    EXPECT_EQ(expiries, 1);
}

TEST_F(DeadlineListTest, OneThatIsArmedWhileOthersExpireIsNotForgotten) {
    Deadline late(list, [] {});
    Deadline later(list, [] {});
    Deadline first(list, [&] { late.arm(milliseconds(100)); });
    later.arm(seconds(2));
    first.arm(seconds(1));
    clock.run_for(seconds(1) + DeadlineList::kTick);
    EXPECT_TRUE(first.expired());
    clock.run_for(milliseconds(100) + DeadlineList::kTick);
    EXPECT_TRUE(late.expired());
    EXPECT_FALSE(later.expired());
    clock.run_for(seconds(1));
    EXPECT_TRUE(later.expired());
}

TEST_F(DeadlineListTest, DisarmedOrArmedAnewItDoesNotExpireAtTheOldTime) {
    int expiries = 0;
    Deadline disarmed(list, [&] { ++expiries; });
    Deadline moved(list, [&] { ++expiries; });
    disarmed.arm(seconds(1));
    moved.arm(seconds(1));
    disarmed.disarm();
    moved.arm(seconds(5));
    clock.run_for(seconds(4));
    EXPECT_EQ(expiries, 0);
    clock.run_for(seconds(2));
    EXPECT_EQ(expiries, 1);
    moved.arm(seconds(1));
    EXPECT_FALSE(moved.expired());
}

TEST_F(DeadlineListTest, TheLongestLimitNeverExpires) {
    clock.run_for(seconds(1));
    int expiries = 0;
    Deadline deadline(list, [&] { ++expiries; });
    deadline.arm(Duration::max());
    clock.run_for(std::chrono::hours(1));
    EXPECT_EQ(expiries, 0);
}

TEST_F(DeadlineListTest, OneThatExpiresMayDestroyItsNeighbours) {
    int expiries = 0;
    std::unique_ptr<Deadline> second;
    std::unique_ptr<Deadline> third;
    Deadline first(list, [&] {
        ++expiries;
        second.reset();
        third.reset();
    });
    second = std::make_unique<Deadline>(list, [&] { ++expiries; });
    third = std::make_unique<Deadline>(list, [&] { ++expiries; });
    Deadline last(list, [&] { ++expiries; });
    for (Deadline* deadline : {&first, second.get(), third.get(), &last}) {
        deadline->arm(seconds(1));
    }
    clock.run_for(seconds(2));
    EXPECT_EQ(expiries, 2);
}

TEST_F(DeadlineListTest, OneThatExpiresMayArmItselfAgain) {
    int expiries = 0;
    std::unique_ptr<Deadline> deadline;
    deadline = std::make_unique<Deadline>(list, [&] {
        ++expiries;
        deadline->arm(seconds(1));
    });
    deadline->arm(seconds(1));
    clock.run_for(milliseconds(3500));
    EXPECT_EQ(expiries, 3);
}

}  // namespace
}  // namespace orch::net
