#include "apps/llorch/tasks_view.hpp"

#include <gtest/gtest.h>

namespace orch::llorch {
namespace {

api::TaskView task(std::string id, std::string state) {
    api::TaskView view;
    view.task_id = std::move(id);
    view.state = std::move(state);
    view.model = "qwen";
    view.workload = "completion";
    view.priority = "interactive";
    view.created_ms = 1000;
    return view;
}

TEST(TasksView, ListsStatePlaceAndReason) {
    api::TaskView queued = task("t1", "queued");
    queued.queue_position = 2;
    api::TaskView failed = task("t2", "failed");
    failed.node_id = NodeId("gpu-1");
    failed.pool_id = PoolId("chat");
    failed.ended_ms = 6000;
    failed.error.emplace();
    failed.error->code = "WORKER_RESET";
    failed.error->message = "it died";
    const std::string text = tasks_text({{queued, failed}, 2}, 61000, {});
    EXPECT_TRUE(text.contains("queued, 2 before it")) << text;
    EXPECT_TRUE(text.contains("gpu-1/chat")) << text;
    EXPECT_TRUE(text.contains("WORKER_RESET: it died")) << text;
    EXPECT_TRUE(text.contains("5s")) << text;
    EXPECT_EQ(tasks_text({}, 0, {}), "No task is known.\n");
}

TEST(TasksView, ShowsTheOutputBelowTheFacts) {
    api::TaskView done = task("t1", "done");
    done.output = "hello";
    done.tokens_out = 3;
    const std::string text = task_text(done, 2000);
    EXPECT_TRUE(text.starts_with("task      t1\nstate     done\n")) << text;
    EXPECT_TRUE(text.ends_with("\n\nhello\n")) << text;
}

TEST(TasksView, ControlCharactersDoNotReachTheTerminal) {
    api::TaskView bad = task("t\x1b[2J", "done");
    EXPECT_FALSE(tasks_text({{bad}, 1}, 0, {}).contains('\x1b'));
    EXPECT_FALSE(task_text(bad, 0).contains('\x1b'));
}

}  // namespace
}  // namespace orch::llorch
