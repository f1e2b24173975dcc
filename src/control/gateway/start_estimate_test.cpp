#include "control/gateway/start_estimate.hpp"

#include "control/gateway/cluster_fixture.hpp"

#include <gtest/gtest.h>

namespace orch::control::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct StartEstimate : testing::Test {
    void add(std::uint32_t slots, Duration mean) {
        auto cell = std::make_shared<LoadCell>(slots);
        if (mean > Duration::zero()) {
            cell->note_service(mean);
        }
        pools.push_back(std::make_unique<view::PoolBlock>(pool_block(key_of("n"), {"qwen"}, cell)));
        placement::Candidate candidate;
        candidate.pool = pools.back().get();
        fitting.push_back(candidate);
    }

    std::vector<std::unique_ptr<view::PoolBlock>> pools;
    std::vector<placement::Candidate> fitting;
};

TEST_F(StartEstimate, IsUnknownWhileNothingWasServed) {
    add(4, Duration::zero());
    EXPECT_EQ(estimate_start(fitting, 0), std::nullopt);
    EXPECT_EQ(estimate_start({}, 0), std::nullopt);
}

TEST_F(StartEstimate, OneSlotTakesOneAfterAnother) {
    add(1, seconds(2));
    EXPECT_EQ(estimate_start(fitting, 0), seconds(2));
    EXPECT_EQ(estimate_start(fitting, 4), seconds(10));
}

TEST_F(StartEstimate, SlotsOfAllPoolsServeTogether) {
    add(2, seconds(2));
    add(1, seconds(1));
    EXPECT_EQ(estimate_start(fitting, 1), seconds(1));
}

TEST_F(StartEstimate, APoolThatServedNothingYetCountsAsTheOthers) {
    add(1, seconds(2));
    add(3, Duration::zero());
    EXPECT_EQ(estimate_start(fitting, 0), milliseconds(500));
}

}  // namespace
}  // namespace orch::control::gateway
