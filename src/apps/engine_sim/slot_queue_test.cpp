#include "apps/engine_sim/slot_queue.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace orch::engine_sim {
namespace {

TEST(SlotQueue, GivesASlotAtOnceWithoutACall) {
    SlotQueue queue(1);
    const SlotQueue::Place place(queue, [] { FAIL(); });
    EXPECT_TRUE(place.has_slot());
    EXPECT_TRUE(queue.all_busy());
}

TEST(SlotQueue, ServesInTheOrderOfComing) {
    SlotQueue queue(1);
    std::string calls;
    auto first = std::make_unique<SlotQueue::Place>(queue, [&] { calls += "1"; });
    auto second = std::make_unique<SlotQueue::Place>(queue, [&] { calls += "2"; });
    auto third = std::make_unique<SlotQueue::Place>(queue, [&] { calls += "3"; });
    EXPECT_EQ(queue.waiting(), 2U);
    first.reset();
    EXPECT_EQ(calls, "2");
    EXPECT_TRUE(second->has_slot());
    EXPECT_FALSE(third->has_slot());
    second.reset();
    EXPECT_EQ(calls, "23");
}

TEST(SlotQueue, ForgetsWhoLeavesTheQueue) {
    SlotQueue queue(1);
    auto first = std::make_unique<SlotQueue::Place>(queue, [] {});
    auto second = std::make_unique<SlotQueue::Place>(queue, [] { FAIL(); });
    const SlotQueue::Place third(queue, [] {});
    second.reset();
    first.reset();
    EXPECT_TRUE(third.has_slot());
    EXPECT_EQ(queue.waiting(), 0U);
}

TEST(SlotQueue, RemembersThatASlotWasUsed) {
    SlotQueue queue(2);
    EXPECT_FALSE(queue.slots()[0].used);
    {
        SlotQueue::Place place(queue, [] {});
        place.record().decoded = 7;
    }
    EXPECT_TRUE(queue.slots()[0].used);
    EXPECT_FALSE(queue.slots()[0].busy);
    EXPECT_EQ(queue.slots()[0].decoded, 7U);
    EXPECT_FALSE(queue.all_busy());
}

}  // namespace
}  // namespace orch::engine_sim
