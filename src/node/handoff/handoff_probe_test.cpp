#include "node/handoff/handoff_probe.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace orch::node::handoff {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(HandoffProbe, CountsByPoolOnlyWhatWasTakenIn) {
    metrics::Registry registry;
    HandoffProbe probe(registry, NodeId("n1"));
    probe.taken_in(PoolId("chat"), std::chrono::microseconds(1500500));
    probe.refused();
    probe.malformed();
    probe.malformed();
    probe.ignored();
    const std::string text = registry.expose();
    const std::string name = "pool_handoff_files_processed_total{node_id=\"n1\",pool_id=";
    EXPECT_THAT(text, HasSubstr(name + "\"chat\",outcome=\"success\"} 1\n"));
    EXPECT_THAT(text, HasSubstr(name + "\"other\",outcome=\"refused\"} 1\n"));
    EXPECT_THAT(text, HasSubstr(name + "\"other\",outcome=\"malformed\"} 2\n"));
    EXPECT_THAT(text, HasSubstr(name + "\"other\",outcome=\"ignored\"} 1\n"));
    EXPECT_THAT(
        text, HasSubstr("duration_ms_bucket{node_id=\"n1\",pool_id=\"chat\",le=\"1500\"} 0\n")
    );
    EXPECT_THAT(
        text, HasSubstr("duration_ms_bucket{node_id=\"n1\",pool_id=\"chat\",le=\"2000\"} 1\n")
    );
    EXPECT_THAT(text, HasSubstr("duration_ms_sum{node_id=\"n1\",pool_id=\"chat\"} 1500.5\n"));
    EXPECT_THAT(text, Not(HasSubstr("duration_ms_count{node_id=\"n1\",pool_id=\"other\"}")));
}

// A counter that begins at 1 shows no rise to anybody.
TEST(HandoffProbe, BeginsAtZero) {
    metrics::Registry registry;
    HandoffProbe probe(registry, NodeId("n1"));
    const std::string name = "pool_handoff_files_processed_total{node_id=\"n1\",pool_id=";
    EXPECT_THAT(registry.expose(), HasSubstr(name + "\"other\",outcome=\"malformed\"} 0\n"));
    EXPECT_THAT(registry.expose(), Not(HasSubstr("\"chat\"")));
    probe.expect(PoolId("chat"));
    EXPECT_THAT(registry.expose(), HasSubstr(name + "\"chat\",outcome=\"success\"} 0\n"));
    EXPECT_THAT(
        registry.expose(), HasSubstr("duration_ms_count{node_id=\"n1\",pool_id=\"chat\"} 0\n")
    );
}

TEST(HandoffProbe, TellsWhenTheFolderWasReadLast) {
    metrics::Registry registry;
    HandoffProbe probe(registry, NodeId("n1"));
    EXPECT_THAT(registry.expose(), Not(HasSubstr("last_scan_timestamp_seconds{")));
    probe.scanned(WallTime(std::chrono::milliseconds(1500)));
    EXPECT_THAT(
        registry.expose(),
        HasSubstr("pool_handoff_last_scan_timestamp_seconds{node_id=\"n1\"} 1.5\n")
    );
}

}  // namespace
}  // namespace orch::node::handoff
