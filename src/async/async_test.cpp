#include "async/backoff.hpp"
#include "async/event_loop.hpp"
#include "async/offload.hpp"
#include "async/sim_clock.hpp"
#include "async/task_group.hpp"
#include "async/with_deadline.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

namespace orch::async {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

struct SimFixture : testing::Test {
    asio::io_context context;
    SimClock clock{context};
    std::vector<std::string> bugs;
    TaskGroup group{context.get_executor(), [this](const std::string& what) {
                        bugs.push_back(what);
                    }};

    void drain() {
        group.cancel();
        clock.run_for(Duration::zero());
        ASSERT_EQ(group.size(), 0U);
    }
};

Task<void> beat(SimClock& clock, Duration interval, int& beats) {
    while (co_await clock.sleep_for(interval)) {
        ++beats;
    }
}

TEST_F(SimFixture, ADayOfHeartbeatsOfAHundredNodesRunsInVirtualTime) {
    int beats = 0;
    for (int node = 0; node < 100; ++node) {
        group.spawn(beat(clock, seconds(10), beats));
    }
    clock.run_for(hours(24));
    EXPECT_EQ(beats, 100 * 8640);
    EXPECT_EQ(clock.now(), Instant{} + hours(24));
    drain();
}

Task<void> note(SimClock& clock, Instant when, std::vector<int>& order, int name) {
    co_await clock.sleep_until(when);
    order.push_back(name);
}

TEST_F(SimFixture, SleepersWakeInOrderOfTimeThenOfArrival) {
    std::vector<int> order;
    group.spawn(note(clock, Instant{} + seconds(2), order, 1));
    group.spawn(note(clock, Instant{} + seconds(1), order, 2));
    group.spawn(note(clock, Instant{} + seconds(1), order, 3));
    clock.run_for(seconds(2));
    EXPECT_EQ(order, (std::vector<int>{2, 3, 1}));
}

TEST_F(SimFixture, CancellingAGroupWakesItsSleepers) {
    int beats = 0;
    group.spawn(beat(clock, hours(1), beats));
    clock.run_for(seconds(1));
    EXPECT_EQ(group.size(), 1U);
    drain();
    EXPECT_EQ(beats, 0);
    EXPECT_EQ(clock.now(), Instant{} + seconds(1));
}

Task<void> throws(SimClock& clock) {
    co_await clock.sleep_for(seconds(1));
    throw std::runtime_error("a defect");
}

TEST_F(SimFixture, AnExceptionThatLeavesATaskIsReportedAsABug) {
    group.spawn(throws(clock));
    clock.run_for(seconds(1));
    EXPECT_EQ(bugs, std::vector<std::string>{"a defect"});
}

Task<void> join_and_tell(TaskGroup& group, bool& joined) {
    co_await group.join();
    joined = true;
}

TEST_F(SimFixture, JoinReturnsWhenTheLastTaskEnds) {
    int beats = 0;
    bool joined = false;
    TaskGroup outer(context.get_executor(), nullptr);
    group.spawn(beat(clock, seconds(1), beats));
    outer.spawn(join_and_tell(group, joined));
    clock.run_for(seconds(5));
    EXPECT_FALSE(joined);
    group.cancel();
    clock.run_for(seconds(1));
    EXPECT_TRUE(joined);
}

Task<Result<int>> slow_answer(SimClock& clock, Duration duration, bool& ended) {
    co_await clock.sleep_for(duration);
    ended = true;
    co_return 42;
}

Task<void> ask(SimClock& clock, Duration duration, Result<int>& answer, bool& ended) {
    auto task = slow_answer(clock, duration, ended);
    const Instant deadline = clock.now() + seconds(30);
    answer = co_await with_deadline(clock, deadline, "the answer took too long", std::move(task));
}

TEST_F(SimFixture, WithDeadlineReturnsTheAnswerThatComesInTime) {
    Result<int> answer = 0;
    bool ended = false;
    group.spawn(ask(clock, seconds(29), answer, ended));
    clock.run_for(seconds(60));
    EXPECT_EQ(answer.value(), 42);
}

TEST_F(SimFixture, WithDeadlineCancelsAndAwaitsWhatIsLate) {
    Result<int> answer = 0;
    bool ended = false;
    group.spawn(ask(clock, seconds(31), answer, ended));
    clock.run_for(seconds(30));
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().code, Errc::decode_timeout);
    EXPECT_EQ(answer.error().message, "the answer took too long");
    EXPECT_TRUE(ended);
    EXPECT_EQ(group.size(), 0U);
}

Task<void> sleep_twice(AsyncClock& clock, Instant first) {
    co_await clock.sleep_until(first);
    co_await clock.sleep_for(hours(1));
}

Task<void> cancel_at(AsyncClock& clock, Instant when, TaskGroup& group) {
    co_await clock.sleep_until(when);
    group.cancel();
}

TEST(TaskGroup, ACancellationThatMeetsACompletedSleepIsNotLost) {
    asio::io_context context;
    RealClock clock;
    TaskGroup sleepers(context.get_executor(), nullptr);
    TaskGroup canceller(context.get_executor(), nullptr);
    const Instant together = clock.now() + milliseconds(1);
    for (int i = 0; i < 10; ++i) {
        sleepers.spawn(sleep_twice(clock, together));
        canceller.spawn(cancel_at(clock, together, sleepers));
    }
    context.run_for(seconds(30));
    EXPECT_EQ(sleepers.size(), 0U);
}

TEST(TaskGroup, ATaskThatEndsWhileItsCancellationIsPostedIsSafe) {
    asio::io_context context;
    RealClock clock;
    TaskGroup group(context.get_executor(), nullptr);
    for (int i = 0; i < 10; ++i) {
        group.spawn(sleep_twice(clock, clock.now()));
    }
    context.poll();
    group.cancel();  // outside the loop's thread: the emission is posted behind what is ready
    context.run_for(seconds(30));
    EXPECT_EQ(group.size(), 0U);
}

TEST(Backoff, DoublesUpToItsMaximumAndStartsAgainAfterReset) {
    Rng rng(7);
    Backoff backoff({.initial = seconds(1), .maximum = seconds(30), .jitter = 0.0}, rng);
    EXPECT_EQ(backoff.next(), seconds(1));
    EXPECT_EQ(backoff.next(), seconds(2));
    EXPECT_EQ(backoff.next(), seconds(4));
    for (int i = 0; i < 100; ++i) {
        EXPECT_LE(backoff.next(), seconds(30));
    }
    EXPECT_EQ(backoff.next(), seconds(30));
    backoff.reset();
    EXPECT_EQ(backoff.next(), seconds(1));
}

TEST(Backoff, JitterMovesADelayByItsFractionAndNeverAboveTheMaximum) {
    Rng rng(7);
    bool moved = false;
    for (int i = 0; i < 100; ++i) {
        Backoff backoff({.initial = seconds(10), .maximum = seconds(10), .jitter = 0.1}, rng);
        const Duration delay = backoff.next();
        EXPECT_GE(delay, seconds(9));
        EXPECT_LE(delay, seconds(10));
        moved = moved || delay != seconds(10);
    }
    EXPECT_TRUE(moved);
}

Task<void> ask_other_loop(EventLoop& here, EventLoop& there, bool& right_threads) {
    const bool ran_there = co_await call_on(there, [&there] { return there.on_this_thread(); });
    right_threads = ran_there && here.on_this_thread();
}

TEST(EventLoop, CallOnRunsThereAndResumesHere) {
    EventLoop here;
    EventLoop there;
    bool right_threads = false;
    auto group = std::make_unique<TaskGroup>(here.executor(), nullptr);
    here.start("here");
    there.start("there");
    here.post([&] { group->spawn(ask_other_loop(here, there, right_threads)); });
    here.finish();
    there.finish();
    EXPECT_TRUE(right_threads);
}

Task<void> offload_one(BlockingPool& pool, std::thread::id& worker) {
    worker = co_await pool.offload([] { return std::this_thread::get_id(); });
}

TEST(BlockingPool, RunsWorkOnAnotherThread) {
    BlockingPool pool(1);
    asio::io_context context;
    std::thread::id worker;
    TaskGroup group(context.get_executor(), nullptr);
    group.spawn(offload_one(pool, worker));
    context.run();
    EXPECT_NE(worker, std::thread::id{});
    EXPECT_NE(worker, std::this_thread::get_id());
}

}  // namespace
}  // namespace orch::async
