#include "node/enroll/enroll_probe.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace orch::node::enroll {
namespace {

using testing::HasSubstr;

TEST(EnrollProbe, CountsWhatBecameOfRegistrationsAndBeats) {
    metrics::Registry registry;
    EnrollProbe probe(registry, NodeId("n1"));
    EXPECT_THAT(registry.expose(), HasSubstr("# TYPE pool_heartbeat_sent_total counter\n"));
    probe.registered(RegisterOutcome::unreachable);
    probe.registered(RegisterOutcome::conflict);
    probe.registered(RegisterOutcome::refused);
    probe.registered(RegisterOutcome::accepted);
    probe.beat(HeartbeatOutcome::accepted);
    probe.beat(HeartbeatOutcome::accepted);
    probe.beat(HeartbeatOutcome::unknown_node);
    probe.beat(HeartbeatOutcome::refused);
    probe.beat(HeartbeatOutcome::unreachable);
    probe.beat(HeartbeatOutcome::moved);
    const std::string text = registry.expose();
    for (const char* const outcome : {"success", "conflict", "refused", "unreachable"}) {
        EXPECT_THAT(
            text,
            HasSubstr(
                std::string("pool_registration_attempts_total{node_id=\"n1\",outcome=\"") +
                outcome + "\"} 1\n"
            )
        );
    }
    EXPECT_THAT(text, HasSubstr("sent_total{node_id=\"n1\",outcome=\"success\"} 2\n"));
    EXPECT_THAT(text, HasSubstr("sent_total{node_id=\"n1\",outcome=\"unknown_node\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("sent_total{node_id=\"n1\",outcome=\"refused\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("sent_total{node_id=\"n1\",outcome=\"unreachable\"} 1\n"));
}

}  // namespace
}  // namespace orch::node::enroll
