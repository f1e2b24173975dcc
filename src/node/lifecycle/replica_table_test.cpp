#include "node/lifecycle/replica_table.hpp"

#include <gtest/gtest.h>

namespace orch::node::lifecycle {
namespace {

using namespace std::chrono_literals;

const PoolId kChat("chat");
const ReplicaId kR0("r0");
const ReplicaId kR1("r1");
constexpr Instant kNow{1h};
constexpr WallTime kWall{1000s};

PoolSpec spec(std::string_view id) {
    PoolSpec made = single_model_pool("/m/qwen.gguf");
    made.id = PoolId(std::string(id));
    return made;
}

EngineStatus in_state(ReplicaState state) {
    EngineStatus status;
    status.state = state;
    return status;
}

class ReplicaTableTest : public testing::Test {
public:
    ReplicaTableTest() {
        table.put_pool(spec("chat"));
        add(kR0, 4);
    }

    void add(const ReplicaId& id, std::uint32_t slots) {
        table.add_replica(kChat, id, slots, false);
        table.bind(kChat, id, {.url = "http://127.0.0.1:1", .log_path = "/l"});
        table.set_status(kChat, id, in_state(ReplicaState::ready), kWall);
    }

    std::shared_ptr<const PoolView> chat() { return table.snapshot()->find(kChat); }

    void claim(const ReplicaId& id, int slots) {
        for (; slots > 0; --slots) {
            ASSERT_TRUE(chat()->find(id)->cell->try_claim());
        }
    }

    ReplicaTable table;
};

TEST_F(ReplicaTableTest, SnapshotsAreOrderedAndFindById) {
    table.put_pool(spec("embed"));
    table.put_pool(spec("a"));
    const auto view = table.snapshot();
    ASSERT_EQ(view->pools.size(), 3U);
    EXPECT_EQ(view->pools[0]->spec->id.str(), "a");
    EXPECT_EQ(view->find(PoolId("embed"))->spec->id.str(), "embed");
    EXPECT_EQ(view->find(PoolId("b")), nullptr);
    EXPECT_EQ(view->find(PoolId("z")), nullptr);
}

TEST_F(ReplicaTableTest, SharesWhatDidNotChange) {
    table.put_pool(spec("embed"));
    const auto before = table.snapshot();
    EXPECT_EQ(table.snapshot(), before);
    table.set_draining(PoolId("embed"), true);
    const auto after = table.snapshot();
    EXPECT_GT(after->version, before->version);
    EXPECT_EQ(after->find(kChat), before->find(kChat));
    EXPECT_FALSE(before->find(PoolId("embed"))->draining);
    EXPECT_TRUE(after->find(PoolId("embed"))->draining);
}

TEST_F(ReplicaTableTest, WhatIsSetAsItWasIsNoChange) {
    table.set_replica_vram(kChat, kGiB);
    table.set_startable(true);
    const auto before = table.snapshot();
    table.set_replica_vram(kChat, kGiB);
    table.set_replica_vram(PoolId("absent"), kGiB);
    table.set_startable(true);
    EXPECT_EQ(table.snapshot(), before);
    table.set_replica_vram(kChat, 2 * kGiB);
    EXPECT_EQ(chat()->replica_vram, 2 * kGiB);
}

TEST_F(ReplicaTableTest, AbsurdFiguresDoNotWrapAround) {
    add(kR1, 1);
    for (const ReplicaId& replica : {kR0, kR1}) {
        table.set_status(kChat, replica, in_state(ReplicaState::stopped), kWall);
    }
    table.set_startable(true);
    table.set_replica_vram(kChat, ~Bytes{0} - 1);
    EXPECT_EQ(chat()->vram_need(), ~Bytes{0});
}

TEST_F(ReplicaTableTest, KeepsStatusAndTheTimeOfItsLastChange) {
    EngineStatus status = in_state(ReplicaState::backing_off);
    status.last_error = "exit code 1";
    table.set_status(kChat, kR0, status, kWall + 5s);
    status.last_error = "exit code 2";
    table.set_status(kChat, kR0, status, kWall + 9s);
    const ReplicaView& replica = *chat()->find(kR0);
    EXPECT_EQ(replica.state, ReplicaState::backing_off);
    EXPECT_EQ(replica.since, kWall + 5s);
    EXPECT_EQ(chat()->last_error(), "exit code 2");
    EXPECT_FALSE(chat()->ready());
    EXPECT_FALSE(chat()->live());
}

TEST_F(ReplicaTableTest, IsNotReadyWithoutAnAddress) {
    table.add_replica(kChat, kR1, 1, false);
    table.remove_replica(kChat, kR0);
    table.set_status(kChat, kR1, in_state(ReplicaState::ready), kWall);
    EXPECT_FALSE(chat()->ready());
    table.bind(kChat, kR1, {.url = "http://127.0.0.1:2", .log_path = {}});
    EXPECT_TRUE(chat()->ready());
}

TEST_F(ReplicaTableTest, CountsSlotsOfServingReplicasOnly) {
    add(kR1, 2);
    claim(kR0, 3);
    EXPECT_EQ(chat()->slots_total(), 6U);
    EXPECT_EQ(chat()->slots_free(), 3U);
    EXPECT_EQ(chat()->active_leases(), 3U);
    table.set_status(kChat, kR0, in_state(ReplicaState::backing_off), kWall);
    EXPECT_EQ(chat()->slots_total(), 2U);
    EXPECT_EQ(chat()->slots_free(), 2U);
    EXPECT_EQ(chat()->active_leases(), 3U);
}

TEST_F(ReplicaTableTest, ADrainingPoolHasNoFreeSlot) {
    claim(kR0, 1);
    table.set_draining(kChat, true);
    EXPECT_FALSE(chat()->ready());
    EXPECT_TRUE(chat()->live());
    EXPECT_EQ(chat()->slots_free(), 0U);
    EXPECT_EQ(chat()->slots_total(), 4U);
    EXPECT_EQ(choose_replica(*chat(), kNow), nullptr);
}

TEST_F(ReplicaTableTest, TheEngineKnowsItsSlotsBest) {
    table.set_facts(kChat, kR0, {.slots_total = 8, .ctx = 2048, .engine_version = "b1"});
    EXPECT_EQ(chat()->slots_free(), 8U);
    EXPECT_EQ(chat()->find(kR0)->ctx, 2048U);
    table.set_facts(kChat, kR0, {.slots_total = {}, .ctx = {}, .engine_version = "b2"});
    EXPECT_EQ(chat()->slots_total(), 8U);
    EXPECT_EQ(chat()->find(kR0)->engine_version, "b2");
}

TEST_F(ReplicaTableTest, LeavesSlotsToOtherUsersOfAWatchedEngine) {
    table.set_slots_of_others(kChat, kR0, 3);
    EXPECT_EQ(chat()->slots_free(), 1U);
    EXPECT_EQ(chat()->slots_total(), 4U);
    claim(kR0, 1);
    EXPECT_EQ(choose_replica(*chat(), kNow), nullptr);
    table.set_slots_of_others(kChat, kR0, 9);
    EXPECT_EQ(chat()->slots_free(), 0U);
}

TEST_F(ReplicaTableTest, LeasesSurviveAChangeOfSpecAndOfState) {
    claim(kR0, 2);
    const auto cell = chat()->find(kR0)->cell;
    PoolSpec changed = spec("chat");
    changed.aliases = {"gpt"};
    table.put_pool(changed);
    table.add_replica(kChat, kR0, 1, true);
    EXPECT_EQ(chat()->find(kR0)->cell, cell);
    EXPECT_EQ(chat()->active_leases(), 2U);
    EXPECT_EQ(chat()->spec->aliases.size(), 1U);
}

TEST_F(ReplicaTableTest, IgnoresNewsOfWhatIsGone) {
    table.remove_replica(kChat, kR0);
    const auto before = table.snapshot();
    table.set_status(kChat, kR0, in_state(ReplicaState::ready), kWall);
    table.bind(PoolId("gone"), kR0, {});
    table.set_draining(PoolId("gone"), true);
    table.remove_replica(kChat, kR0);
    EXPECT_EQ(table.snapshot(), before);
    table.remove_pool(kChat);
    EXPECT_EQ(chat(), nullptr);
    EXPECT_EQ(before->pools.size(), 1U);
}

TEST_F(ReplicaTableTest, LoadProgressEndsWithLoading) {
    table.set_status(kChat, kR0, in_state(ReplicaState::loading), kWall);
    table.set_load_progress(kChat, kR0, 1.5);
    EXPECT_EQ(chat()->find(kR0)->load_progress, 1.0);
    table.set_status(kChat, kR0, in_state(ReplicaState::ready), kWall);
    EXPECT_EQ(chat()->find(kR0)->load_progress, std::nullopt);
}

TEST_F(ReplicaTableTest, ChoosesTheLeastLoadedReplica) {
    add(kR1, 2);
    claim(kR0, 1);
    EXPECT_EQ(choose_replica(*chat(), kNow)->id, kR1);
    claim(kR1, 1);
    EXPECT_EQ(choose_replica(*chat(), kNow)->id, kR0);
    claim(kR0, 3);
    EXPECT_EQ(choose_replica(*chat(), kNow)->id, kR1);
    claim(kR1, 1);
    EXPECT_EQ(choose_replica(*chat(), kNow), nullptr);
}

TEST_F(ReplicaTableTest, ChoosesSuspectsLast) {
    add(kR1, 2);
    claim(kR1, 1);
    chat()->find(kR0)->cell->suspect_until(kNow + 5s);
    EXPECT_EQ(choose_replica(*chat(), kNow)->id, kR1);
    EXPECT_EQ(choose_replica(*chat(), kNow + 5s)->id, kR0);
    claim(kR1, 1);
    EXPECT_EQ(choose_replica(*chat(), kNow)->id, kR0);
}

TEST_F(ReplicaTableTest, ANewStartIsNoSuspect) {
    chat()->find(kR0)->cell->suspect_until(kNow + 5s);
    table.bind(kChat, kR0, {.url = "http://127.0.0.1:3", .log_path = {}});
    EXPECT_FALSE(chat()->find(kR0)->cell->suspect(kNow));
}

}  // namespace
}  // namespace orch::node::lifecycle
