#include "control/gateway/gateway_probe.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace orch::control::gateway {
namespace {

using admission::Priority;
using testing::HasSubstr;
using testing::Not;

class GatewayProbeTest : public testing::Test {
public:
    std::string text() const { return registry.expose(); }

    metrics::Registry registry;
    GatewayProbe probe{registry};
};

TEST_F(GatewayProbeTest, ARefusalOfTheQueueIsOneOfAdmission) {
    probe.enqueued("qwen", Priority::batch);
    probe.rejected(Errc::admission_reject);
    probe.rejected(Errc::deadline_unmet);
    EXPECT_THAT(text(), HasSubstr(R"(orchd_admission_enqueued_total{outcome="success"} 1)"));
    EXPECT_THAT(text(), HasSubstr(R"(orchd_admission_enqueued_total{outcome="error"} 2)"));
    EXPECT_THAT(
        text(), HasSubstr(R"(orchd_admission_rejected_total{reason="ADMISSION_REJECT"} 1)")
    );
    EXPECT_THAT(text(), HasSubstr(R"(tasks_rejected_total{reason="DEADLINE_UNMET"} 1)"));
}

TEST_F(GatewayProbeTest, ALackOfPlacesIsNone) {
    probe.rejected(Errc::pool_unavailable);
    probe.rejected(Errc::model_deprecated);
    EXPECT_THAT(text(), Not(HasSubstr("orchd_admission_rejected_total{")));
    EXPECT_THAT(text(), HasSubstr(R"(tasks_rejected_total{reason="MODEL_DEPRECATED"} 1)"));
}

TEST_F(GatewayProbeTest, DispatchesAreCountedByPoolAndOutcome) {
    view::PoolBlock pool;
    pool.key = {NodeId("n1"), PoolId("chat")};
    probe.started(pool, Priority::interactive, std::chrono::milliseconds(40));
    probe.dispatched(pool.key, true);
    probe.dispatched(pool.key, false);
    const std::string place = R"(node_id="n1",pool_id="chat")";
    EXPECT_THAT(
        text(), HasSubstr("orchd_tasks_dispatched_total{" + place + R"(,outcome="success"} 1)")
    );
    EXPECT_THAT(
        text(), HasSubstr("orchd_tasks_dispatched_total{" + place + R"(,outcome="error"} 1)")
    );
    EXPECT_THAT(text(), HasSubstr("orchd_dispatch_latency_ms_sum{" + place + "} 40"));
}

}  // namespace
}  // namespace orch::control::gateway
