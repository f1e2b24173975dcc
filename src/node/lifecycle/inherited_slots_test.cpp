#include "node/lifecycle/inherited_slots.hpp"

#include <gtest/gtest.h>

namespace orch::node::lifecycle {
namespace {

TEST(InheritedSlots, AreBusyUntilTheyAreIdle) {
    InheritedSlots slots;
    EXPECT_FALSE(slots.none_left());
    EXPECT_EQ(slots.look(2, 0), 2U);
    EXPECT_EQ(slots.look(1, 0), 1U);
    EXPECT_FALSE(slots.none_left());
    EXPECT_EQ(slots.look(0, 0), 0U);
    EXPECT_TRUE(slots.none_left());
}

TEST(InheritedSlots, AreToldFromOurs) {
    InheritedSlots slots;
    EXPECT_EQ(slots.look(1, 0), 1U);
    EXPECT_EQ(slots.look(3, 2), 1U);
    EXPECT_EQ(slots.look(2, 2), 1U) << "ours may not have arrived yet";
    EXPECT_EQ(slots.look(2, 2), 0U);
    EXPECT_TRUE(slots.none_left());
}

TEST(InheritedSlots, NeverBecomeMore) {
    InheritedSlots slots;
    EXPECT_EQ(slots.look(1, 0), 1U);
    EXPECT_EQ(slots.look(3, 0), 1U) << "the engine still ends two requests whose leases are over";
}

TEST(InheritedSlots, AreNoneInAnEngineThatIsIdleWhateverIsLeased) {
    InheritedSlots slots;
    EXPECT_EQ(slots.look(2, 0), 2U);
    EXPECT_EQ(slots.look(0, 2), 0U);
}

}  // namespace
}  // namespace orch::node::lifecycle
