#include "api/task_views.hpp"

#include "api/task_events.hpp"

#include <gtest/gtest.h>

namespace orch::api {
namespace {

TEST(TaskViews, AcceptedSaysWhereToWatch) {
    TaskAccepted accepted;
    accepted.task_id = "t";
    accepted.queue_position = 2;
    accepted.predicted_start_ms = 1500;
    accepted.streams = {"/v2/tasks/t/events", "/v2/tasks/t/events?verbose=true"};
    EXPECT_EQ(
        to_json(accepted),
        R"({"task_id":"t","queue_position":2,"predicted_start_ms":1500,"backoff_ms":0,)"
        R"("streams":{"sse":"/v2/tasks/t/events","sse_verbose":"/v2/tasks/t/events?verbose=true"},)"
        R"("preparation":{"steps":[]}})"
    );
    const auto read = from_json<TaskAccepted>(to_json(accepted));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->predicted_start_ms, 1500);
}

TEST(TaskViews, ATaskShowsItsResultAsJson) {
    TaskView view;
    view.task_id = "t";
    view.state = "done";
    view.result = R"({"data":[1,2]})";
    const std::string text = to_json(view);
    EXPECT_TRUE(text.contains(R"("result":{"data":[1,2]})")) << text;
    EXPECT_TRUE(text.contains(R"("error":null)"));
    EXPECT_TRUE(text.contains(R"("queue_position":null)"));
    const auto read = from_json<TaskView>(text);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->result, view.result);
}

TEST(TaskViews, AListLeavesOutputsOut) {
    TaskView view;
    view.task_id = "t";
    view.state = "done";
    view.output = "long";
    view.result = "{}";
    const std::string text = to_json(std::vector<TaskView>{view, view});
    EXPECT_TRUE(text.contains(R"("count":2)"));
    EXPECT_FALSE(text.contains("output"));
    EXPECT_FALSE(text.contains("result"));
    const auto read = from_json<TaskList>(text);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->tasks.size(), 2U);
}

TEST(TaskEvents, SayWhatIsKnown) {
    EXPECT_EQ(
        to_json(QueuedEvent{1, std::nullopt}), R"({"queue_position":1,"predicted_start_ms":null})"
    );
    EXPECT_EQ(
        to_json(StartedEvent{NodeId("n"), PoolId("p"), 2}),
        R"({"node_id":"n","pool_id":"p","attempt":2})"
    );
    MetricsEvent metrics;
    metrics.tokens_out = 3;
    EXPECT_EQ(to_json(metrics), R"({"tokens_out":3})");
    EndEvent end;
    end.tokens_out = 3;
    EXPECT_EQ(to_json(end), R"({"tokens_out":3,"decode_time_ms":0,"decode_ms":0})");
    end.canceled = true;
    EXPECT_TRUE(to_json(end).contains(R"("canceled":true)"));
}

TEST(TaskEvents, AnErrorHasNoEnvelope) {
    const ErrorBody body = make_error_body({Errc::worker_reset, "gone", ""}, CorrelationId("c"));
    const std::string text = error_event_json(body);
    EXPECT_TRUE(text.starts_with(R"({"message":"gone")")) << text;
    EXPECT_TRUE(text.contains(R"("code":"WORKER_RESET")"));
    EXPECT_TRUE(text.contains(R"("retriable":true)"));
}

}  // namespace
}  // namespace orch::api
