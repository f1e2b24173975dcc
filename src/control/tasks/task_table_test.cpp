#include "control/tasks/task_table.hpp"

#include "control/tasks/task_run.hpp"

#include <gtest/gtest.h>

namespace orch::control::tasks {
namespace {

using std::chrono::minutes;

constexpr Instant kStart{std::chrono::hours(100)};

TaskOrder small_order() {
    TaskOrder order;
    order.call = std::make_shared<const api::EngineCall>();
    return order;
}

struct TaskTableTest : testing::Test {
    TaskRecord& add(TaskTable& table, const std::string& id) {
        TaskRecord* const record = table.insert(TaskId(id), small_order());
        EXPECT_NE(record, nullptr);
        return *record;
    }

    void end(TaskTable& table, TaskRecord& record, Instant at = kStart) {
        record.fsm.resume(TaskFsm::Event::failed);
        record.ended = at;
        table.ended(record);
    }
};

TEST_F(TaskTableTest, AnIdIsGivenOnce) {
    TaskTable table({});
    add(table, "a");
    EXPECT_EQ(table.insert(TaskId("a"), small_order()), nullptr);
    table.erase(TaskId("a"));
    EXPECT_EQ(table.find(TaskId("a")), nullptr);
    EXPECT_EQ(table.bytes(), 0U);
}

TEST_F(TaskTableTest, ListsTheNewestFirstByState) {
    TaskTable table({});
    add(table, "a");
    TaskRecord& b = add(table, "b");
    add(table, "c");
    end(table, b);
    const auto all = table.list(std::nullopt, 10);
    ASSERT_EQ(all.size(), 3U);
    EXPECT_EQ(all[0]->id, TaskId("c"));
    EXPECT_EQ(table.list(TaskState::failed, 10).size(), 1U);
    EXPECT_EQ(table.list(std::nullopt, 2).size(), 2U);
    const auto unended = table.unended();
    ASSERT_EQ(unended.size(), 2U);
    EXPECT_EQ(unended[0]->id, TaskId("a"));
}

TEST_F(TaskTableTest, EndedTasksAreForgottenByTimeAndNumber) {
    TaskTable table({.keep_ended = minutes(60), .most_ended = 2});
    for (const char* id : {"a", "b", "c"}) {
        end(table, add(table, id));
    }
    add(table, "d");
    table.forget_old(kStart);
    EXPECT_EQ(table.find(TaskId("a")), nullptr);
    EXPECT_NE(table.find(TaskId("b")), nullptr);
    table.forget_old(kStart + minutes(60));
    EXPECT_EQ(table.size(), 1U);
    EXPECT_NE(table.find(TaskId("d")), nullptr) << "has not ended";
}

TEST_F(TaskTableTest, EndedTasksMakeRoomForOthers) {
    TaskTable table({.memory = 100 * kKiB});
    TaskRecord& old = add(table, "old");
    old.output = std::string(60 * kKiB, 'x');
    end(table, old);
    TaskRecord& now = add(table, "now");
    now.output = std::string(60 * kKiB, 'x');
    EXPECT_TRUE(table.room_for(50 * kKiB)) << "the ended one would go";
    table.account(now);
    EXPECT_EQ(table.find(TaskId("old")), nullptr);
    EXPECT_FALSE(table.room_for(50 * kKiB));
}

TEST_F(TaskTableTest, WhenMemoryIsShortOldEventsGo) {
    TaskTable table({.memory = 200 * kKiB});
    TaskRecord& record = add(table, "a");
    for (int i = 0; i < 400; ++i) {
        record.journal.append("token", std::string(kKiB, 'x'));
    }
    table.account(record);
    EXPECT_LE(table.bytes(), 200 * kKiB);
    EXPECT_GT(record.journal.first(), 1U);
    EXPECT_EQ(record.journal.last(), 400U);
}

TEST_F(TaskTableTest, AViewTellsWhatIsKnown) {
    TaskTable table({});
    TaskRecord& record = add(table, "a");
    record.order.placement.model = "qwen";
    record.standing.ahead = 3;
    record.created_wall = WallTime(std::chrono::milliseconds(5));
    api::TaskView view = record.view();
    EXPECT_EQ(view.state, "queued");
    EXPECT_EQ(view.queue_position, 3U);
    EXPECT_EQ(view.created_ms, 5);
    EXPECT_EQ(view.workload, "completion");
    record.fsm.resume(TaskFsm::Event::granted);
    record.place = PoolKey{NodeId("n"), PoolId("p")};
    view = record.view();
    EXPECT_EQ(view.queue_position, std::nullopt);
    EXPECT_EQ(view.node_id, NodeId("n"));
}

}  // namespace
}  // namespace orch::control::tasks
