#include "control/tasks/task_order.hpp"

#include <gtest/gtest.h>

namespace orch::control::tasks {
namespace {

TaskOrder order_of(std::string_view body) {
    const auto message = api::from_json<api::TaskSubmit>(body);
    if (!message) {
        ADD_FAILURE() << message.error().message;
        return {};
    }
    return make_order(*message);
}

TEST(TaskOrder, AsksForTheModelAndItsKind) {
    const TaskOrder order = order_of(R"({"model_ref":"qwen","inputs":["a"],"deadline_ms":1500,
        "priority":"batch","session_id":"s"})");
    EXPECT_EQ(order.placement.model, "qwen");
    EXPECT_EQ(order.placement.kind, ModelKind::embedding);
    EXPECT_EQ(order.kind, ModelKind::embedding);
    EXPECT_EQ(order.priority, admission::Priority::batch);
    EXPECT_EQ(order.deadline, std::chrono::milliseconds(1500));
    EXPECT_EQ(order.session_id, "s");
    EXPECT_EQ(order.call->path, "/v1/embeddings");
}

TEST(TaskOrder, RequirementsGoIntoThePlacement) {
    const TaskOrder order = order_of(
        R"({"model":"m","prompt":"p","engine":"vllm","ctx":4096,"session_id":"s",
            "placement":{"require_device_mask":"0,1"}})"
    );
    EXPECT_EQ(order.placement.engine, EngineFamily::vllm);
    EXPECT_EQ(order.placement.ctx, 4096U);
    EXPECT_EQ(order.placement.device_mask, "0,1");
    EXPECT_EQ(order.placement.session, "s");
}

TEST(TaskOrder, APinHoldsUnlessFallbackIsAllowed) {
    const TaskOrder pinned = order_of(
        R"({"model":"m","prompt":"p","placement":{"mode":"pin","pin_pool_id":"a","node_id":"n"}})"
    );
    EXPECT_EQ(pinned.placement.pin_pool, PoolId("a"));
    EXPECT_EQ(pinned.placement.pin_node, NodeId("n"));
    EXPECT_FALSE(pinned.placement.fallback);
    const TaskOrder loose = order_of(
        R"({"model":"m","prompt":"p","placement":{"pin_pool_id":"a","allow_fallback":true}})"
    );
    EXPECT_TRUE(loose.placement.fallback);
}

TEST(TaskOrder, APreferenceMayBeDroppedUnlessForbidden) {
    const TaskOrder loose = order_of(
        R"({"model":"m","prompt":"p","placement":{"prefer_pools":["a"],"avoid_pools":["b","c"]}})"
    );
    EXPECT_TRUE(loose.placement.fallback);
    ASSERT_EQ(loose.placement.prefer.size(), 1U);
    EXPECT_EQ(loose.placement.prefer[0].pool, PoolId("a"));
    EXPECT_EQ(loose.placement.avoid.size(), 2U);
    const TaskOrder labelled =
        order_of(R"({"model":"m","prompt":"p","placement":{"labels":{"zone":"a"}}})");
    EXPECT_EQ(labelled.placement.labels, (view::Labels{{"zone", "a"}}));
    const TaskOrder strict = order_of(
        R"({"model":"m","prompt":"p","placement":{"prefer_pools":["a"],"allow_fallback":false}})"
    );
    EXPECT_FALSE(strict.placement.fallback);
}

}  // namespace
}  // namespace orch::control::tasks
