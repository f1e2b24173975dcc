#include "node/lifecycle/replica_state.hpp"

#include "api/node_messages.hpp"

#include <gtest/gtest.h>

namespace orch::node::lifecycle {
namespace {

constexpr ReplicaState kAll[] = {
    ReplicaState::stopped,
    ReplicaState::starting,
    ReplicaState::loading,
    ReplicaState::ready,
    ReplicaState::draining,
    ReplicaState::stopping,
    ReplicaState::backing_off,
    ReplicaState::broken,
};

TEST(ReplicaState, ComesBackFromItsText) {
    for (const ReplicaState state : kAll) {
        EXPECT_EQ(replica_state_from(to_string(state)), state);
    }
    EXPECT_EQ(replica_state_from("Ready"), std::nullopt);
    EXPECT_EQ(replica_state_from(""), std::nullopt);
}

TEST(ReplicaState, SpeaksTheWordsOfTheWire) {
    EXPECT_EQ(to_string(ReplicaState::broken), api::kReplicaBroken);
    EXPECT_EQ(to_string(ReplicaState::stopped), api::kReplicaStopped);
    EXPECT_EQ(to_string(ReplicaState::ready), "ready");
    EXPECT_EQ(to_string(ReplicaState::backing_off), "backing_off");
}

TEST(ReplicaState, IsLiveWhileSomethingListens) {
    EXPECT_TRUE(is_live(ReplicaState::loading));
    EXPECT_TRUE(is_live(ReplicaState::ready));
    EXPECT_TRUE(is_live(ReplicaState::draining));
    EXPECT_FALSE(is_live(ReplicaState::starting));
    EXPECT_FALSE(is_live(ReplicaState::backing_off));
    EXPECT_FALSE(is_live(ReplicaState::broken));
    EXPECT_FALSE(is_live(ReplicaState::stopped));
}

}  // namespace
}  // namespace orch::node::lifecycle
