#include "loopback/control_ring.hpp"

#include <gtest/gtest.h>

namespace orch::loopback {
namespace {

using ControlLog = ControlRing;

std::size_t lines_of(const CapturedLog& log, std::string_view path) {
    return log.count(path);
}

TEST_F(ControlLog, HeartbeatsThatWentWellAreForDebugging) {
    start();
    join("gpu-1", {ready_pool("chat", "qwen")});
    EXPECT_EQ(lines_of(log, "/v2/nodes/gpu-1/heartbeat"), 0U);
    EXPECT_NE(lines_of(log, "/v2/nodes/register"), 0U);
    const FakeNode& stranger = make_node("gpu-2");
    EXPECT_EQ(beat(stranger, {}).status, 404);
    EXPECT_TRUE(eventually([&] { return lines_of(log, "/v2/nodes/gpu-2/heartbeat") == 1; }));
}

TEST_F(ControlLog, ALevelAndASampleTakeEffectWithoutARestart) {
    start();
    FakeNode& node = join("gpu-1", {ready_pool("chat", "qwen")});
    control::app::ControlConfig next = config;
    next.log_level = LogLevel::debug;
    app->apply(next);
    EXPECT_EQ(beat(node, {ready_pool("chat", "qwen")}).status, 200);
    EXPECT_TRUE(eventually([&] { return lines_of(log, "/v2/nodes/gpu-1/heartbeat") == 1; }));
    next.log_level = LogLevel::info;
    next.access_log_sample = 1'000'000;
    app->apply(next);
    const std::size_t before = lines_of(log, R"("path":"/v2/pools")");
    for (int i = 0; i < 20; ++i) {
        EXPECT_EQ(ask("GET", "/v2/pools").status, 200);
    }
    EXPECT_LT(lines_of(log, R"("path":"/v2/pools")"), before + 20);
}

TEST_F(ControlLog, ThePollIntervalTakesEffectWithoutARestart) {
    config.poll_interval = std::chrono::hours(20);
    start();
    FakeNode& node = join("gpu-1", {ready_pool("chat", "qwen")});
    node.set_status_answer(500, "{}");
    control::app::ControlConfig next = config;
    next.poll_interval = std::chrono::milliseconds(20);
    app->apply(next);
    EXPECT_TRUE(wait_metric(
        R"(orchd_pool_health_checks_total{node_id="gpu-1",pool_id="chat",outcome="error"})"
    ));
}

}  // namespace
}  // namespace orch::loopback
