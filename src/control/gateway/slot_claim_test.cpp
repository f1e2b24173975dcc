#include "control/gateway/slot_claim.hpp"

#include "base/log_capture.hpp"
#include "control/gateway/cluster_fixture.hpp"
#include "control/gateway/decision_log.hpp"
#include "control/gateway/edge_state.hpp"

#include <gtest/gtest.h>

#include <optional>

namespace orch::control::gateway {
namespace {

// The loops are turned by hand: nothing runs beside the test.
class SlotClaimTest : public testing::Test {
protected:
    SlotClaimTest() {
        dispatch_.dispatcher().set_view(view_, clock_.now());
        edge_state_.set_view(view_);
    }

    SlotClaim claim() { return std::move(*edge_state_.choose(qwen()).claim); }

    static placement::PlacementRequest qwen() {
        placement::PlacementRequest request;
        request.model = "qwen";
        return request;
    }

    void turn() {
        control_.context().restart();
        control_.context().poll();
    }

    async::RealClock clock_;
    CapturedLog output_;
    LogSink sink_{LogConfig{}, clock_, output_};
    metrics::Registry metrics_;
    async::EventLoop control_;
    async::TaskGroup tasks_{control_.executor(), {}};
    DispatchLoop dispatch_{control_, clock_, tasks_, {}, {}, metrics_};
    net::Edge edge_{0, clock_, Logger(sink_, "edge")};
    EdgeState edge_state_{edge_, dispatch_, {}, PlacementProbe(metrics_), metrics_};
    std::shared_ptr<LoadCell> cell_ = std::make_shared<LoadCell>(2U);
    view::ClusterViewPtr view_ =
        view_of({node_block("a", {pool_block(key_of("a"), {"qwen"}, cell_)})});
};

TEST_F(SlotClaimTest, ASlotIsGivenBackOnceHoweverTheClaimMoves) {
    {
        SlotClaim first = claim();
        EXPECT_EQ(cell_->claimed(), 1U);
        SlotClaim second = std::move(first);
        EXPECT_EQ(cell_->claimed(), 1U);
        second = claim();
        EXPECT_EQ(cell_->claimed(), 1U);
        second.release();
        second.release();
        EXPECT_EQ(cell_->claimed(), 0U);
        EXPECT_EQ(second.pool().key, key_of("a"));
    }
    EXPECT_EQ(cell_->claimed(), 0U);
}

TEST_F(SlotClaimTest, AFreedSlotIsHandedToWhoeverWaits) {
    std::optional<SlotClaim> first = claim();
    const SlotClaim second = claim();
    EXPECT_FALSE(edge_state_.choose(qwen()).claim);
    std::optional<Result<Grant>> outcome;
    dispatch_.dispatcher().park(Bid{qwen()}, clock_.now(), [&](Result<Grant> grant) {
        outcome = std::move(grant);
    });
    first.reset();
    EXPECT_FALSE(edge_state_.choose(qwen()).claim) << "somebody waits";
    EXPECT_FALSE(outcome);
    turn();
    ASSERT_TRUE(outcome && *outcome);
    EXPECT_EQ((*outcome)->pool->key, key_of("a"));
    EXPECT_EQ(cell_->claimed(), 2U);
    static_cast<void>(cell_->release());
}

TEST_F(SlotClaimTest, AnEdgeSpreadsItsChoicesAndKeepsTheViewOfAClaim) {
    const auto other = std::make_shared<LoadCell>(2U);
    edge_state_.set_view(view_of(
        {node_block("a", {pool_block(key_of("a"), {"qwen"}, cell_)}),
         node_block("b", {pool_block(key_of("b"), {"qwen"}, other)})}
    ));
    const SlotClaim first = claim();
    const SlotClaim second = claim();
    EXPECT_NE(first.pool().key, second.pool().key);
    view_.reset();
    edge_state_.set_view(view_of({}));
    EXPECT_EQ(first.node().endpoint.port, 9200);
}

TEST_F(SlotClaimTest, ADecisionIsToldWithItsReasons) {
    LogConfig all;
    all.level = LogLevel::debug;
    LogSink sink(all, clock_, output_);
    const placement::Decision explained = edge_state_.explain(qwen());
    const EdgeState::Choice choice = edge_state_.choose(qwen());
    log_decision(Logger(sink, "gateway"), qwen(), choice, explained);
    EXPECT_EQ(output_.count(R"("outcome":"claimed","node_id":"a","pool":"p")"), 1U);
    EXPECT_EQ(output_.count(R"("reasons":"a/p: 0 of 2 slots busy)"), 1U);
    placement::PlacementRequest unknown;
    unknown.model = "unknown";
    log_decision(
        Logger(sink, "gateway"), unknown, edge_state_.choose(unknown), edge_state_.explain(unknown)
    );
    EXPECT_EQ(output_.count(R"("outcome":"MODEL_NOT_FOUND")"), 1U);
}

TEST_F(SlotClaimTest, AnEdgeExplainsWhatItCannotPlace) {
    placement::PlacementRequest avoiding = qwen();
    avoiding.avoid = {{.node = NodeId("a"), .pool = {}}};
    const EdgeState::Choice choice = edge_state_.choose(avoiding);
    EXPECT_FALSE(choice.claim);
    ASSERT_TRUE(choice.rejection);
    EXPECT_EQ(choice.rejection->code, Errc::pool_unavailable);
    const placement::Decision explained = edge_state_.explain(avoiding);
    ASSERT_EQ(explained.considered.size(), 1U);
    EXPECT_EQ(explained.considered[0].reasons.at(0), "avoided by the request");
}

}  // namespace
}  // namespace orch::control::gateway
