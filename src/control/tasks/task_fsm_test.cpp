#include "control/tasks/task_fsm.hpp"

#include "base/rng.hpp"

#include <gtest/gtest.h>

#include <array>

namespace orch::control::tasks {
namespace {

using Action = TaskFsm::Action;
using Event = TaskFsm::Event;

constexpr std::array kEvents{
    Event::granted, Event::completed, Event::failed, Event::deadline, Event::cancel
};

TEST(TaskFsm, RunsWithItsSlotAndIsDone) {
    TaskFsm fsm;
    EXPECT_EQ(fsm.state(), TaskState::queued);
    EXPECT_EQ(fsm.resume(Event::granted), Action::run);
    EXPECT_EQ(fsm.state(), TaskState::running);
    EXPECT_FALSE(fsm.ended());
    EXPECT_EQ(fsm.resume(Event::completed), Action::end);
    EXPECT_EQ(fsm.state(), TaskState::done);
    EXPECT_TRUE(fsm.ended());
}

TEST(TaskFsm, AQueuedTaskThatIsCanceledLeavesTheQueue) {
    TaskFsm fsm;
    EXPECT_EQ(fsm.resume(Event::cancel), Action::leave_queue);
    EXPECT_EQ(fsm.state(), TaskState::canceled);
}

TEST(TaskFsm, ARunningTaskThatIsCanceledClosesItsRun) {
    TaskFsm fsm;
    fsm.resume(Event::granted);
    EXPECT_EQ(fsm.resume(Event::cancel), Action::close_run);
    EXPECT_EQ(fsm.state(), TaskState::canceled);
}

TEST(TaskFsm, TheDeadlineEndsAQueuedTaskOnly) {
    TaskFsm queued;
    EXPECT_EQ(queued.resume(Event::deadline), Action::leave_queue);
    EXPECT_EQ(queued.state(), TaskState::failed);
    TaskFsm running;
    running.resume(Event::granted);
    EXPECT_EQ(running.resume(Event::deadline), Action::nothing);
    EXPECT_EQ(running.state(), TaskState::running);
}

TEST(TaskFsm, FailsInTheQueueAndWhileItRuns) {
    TaskFsm queued;
    EXPECT_EQ(queued.resume(Event::failed), Action::end);
    EXPECT_EQ(queued.state(), TaskState::failed);
    TaskFsm running;
    running.resume(Event::granted);
    EXPECT_EQ(running.resume(Event::failed), Action::end);
    EXPECT_EQ(running.state(), TaskState::failed);
}

TEST(TaskFsm, ASlotThatComesTooLateIsGivenBack) {
    TaskFsm fsm;
    fsm.resume(Event::cancel);
    EXPECT_EQ(fsm.resume(Event::granted), Action::give_back);
    TaskFsm running;
    running.resume(Event::granted);
    EXPECT_EQ(running.resume(Event::granted), Action::give_back);
}

TEST(TaskFsm, WhateverHappensThereIsExactlyOneEnd) {
    Rng rng(7);
    for (int round = 0; round < 20000; ++round) {
        TaskFsm fsm;
        int ends = 0;
        for (int step = 0; step < 12; ++step) {
            const bool before = fsm.ended();
            const TaskState state = fsm.state();
            const Action action = fsm.resume(kEvents[rng.below(kEvents.size())]);
            const bool tells = action == Action::end || action == Action::leave_queue ||
                               action == Action::close_run;
            ends += tells ? 1 : 0;
            ASSERT_EQ(tells, !before && fsm.ended());
            ASSERT_TRUE(!before || fsm.state() == state);
        }
        ASSERT_LE(ends, 1);
        ASSERT_EQ(ends == 1, fsm.ended());
    }
}

TEST(TaskFsm, NamesOfStatesAreReadBack) {
    for (const TaskState state :
         {TaskState::queued,
          TaskState::running,
          TaskState::done,
          TaskState::failed,
          TaskState::canceled}) {
        EXPECT_EQ(task_state_from(to_string(state)), state);
    }
    EXPECT_EQ(task_state_from("Queued"), std::nullopt);
}

}  // namespace
}  // namespace orch::control::tasks
