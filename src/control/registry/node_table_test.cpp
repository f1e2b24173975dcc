#include "control/registry/node_table.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace orch::control::registry {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Kind = NodeChange::Kind;

const NodeId kNode("gpu-1");
const PoolId kChat("chat");
const PoolKey kChatKey{kNode, kChat};

Instant at(std::int64_t ms) {
    return Instant(hours(1)) + milliseconds(ms);
}

Stamp stamp(std::int64_t ms) {
    return {at(ms), WallTime(milliseconds(1'700'000'000'000 + ms))};
}

api::RegisterRequest registration(std::string boot = "b1") {
    api::RegisterRequest message;
    message.node_id = kNode;
    message.machine_id = MachineId("m-1");
    message.address = "http://10.0.0.7:9200";
    message.pools = {kChat};
    message.boot_id = std::move(boot);
    return message;
}

api::PoolReport report(const PoolId& id, bool ready, std::uint32_t slots_free = 4) {
    api::PoolReport pool;
    pool.pool_id = id;
    pool.ready = ready;
    pool.slots_free = slots_free;
    pool.slots_total = 4;
    pool.active_leases = 4 - slots_free;
    pool.served_name = "qwen";
    pool.models_available = {"qwen", "gpt"};
    return pool;
}

api::HeartbeatRequest beat(
    std::optional<std::uint64_t> seq, std::vector<api::PoolReport> pools, std::string boot = "b1"
) {
    api::HeartbeatRequest message;
    message.timestamp = "t";
    message.seq = seq;
    message.boot_id = std::move(boot);
    message.pools = std::move(pools);
    return message;
}

class Table : public testing::Test {
protected:
    // A node that is Online, reachable and serves one ready pool; times start at 0.
    void join() {
        const auto outcome = table_.register_node(registration(), stamp(0));
        ASSERT_TRUE(outcome);
        table_.set_reachability(kNode, outcome->registration, true, "");
        ASSERT_TRUE(table_.heartbeat(kNode, beat(1, {report(kChat, true)}), stamp(0)));
        table_.take_changes();
        table_.view();
    }

    NodeStatus status() { return table_.get(kNode, at(0))->status; }

    bool noted(Kind kind) {
        return std::ranges::find(changes_, kind, &NodeChange::kind) != changes_.end();
    }

    void take() { changes_ = table_.take_changes(); }

    RegistryConfig config_;
    NodeTable table_{config_, at(0)};
    std::vector<NodeChange> changes_;
};

TEST_F(Table, NodeJoins) {
    const auto outcome = table_.register_node(registration(), stamp(0));
    ASSERT_TRUE(outcome);
    EXPECT_TRUE(outcome->response.success);
    EXPECT_EQ(outcome->response.node_id, kNode);
    EXPECT_EQ(outcome->response.next_heartbeat_ms, 10'000U);
    EXPECT_EQ(outcome->endpoint, (view::Endpoint{false, "10.0.0.7", 9200}));
    EXPECT_EQ(status(), NodeStatus::registering);
    EXPECT_FALSE(table_.get(kNode, at(0))->online);
    take();
    EXPECT_TRUE(noted(Kind::registered));
    EXPECT_TRUE(noted(Kind::pool_added));

    const auto beaten = table_.heartbeat(kNode, beat(1, {report(kChat, true)}), stamp(5));
    ASSERT_TRUE(beaten);
    EXPECT_FALSE(beaten->stale);
    EXPECT_EQ(beaten->response.next_heartbeat_ms, 10'000U);
    EXPECT_EQ(status(), NodeStatus::online);
    take();
    EXPECT_TRUE(noted(Kind::online));
    EXPECT_TRUE(noted(Kind::pool_ready));
}

TEST_F(Table, GetsNoWorkBeforeItsAddressAnswers) {
    const auto outcome = table_.register_node(registration(), stamp(0));
    ASSERT_TRUE(table_.heartbeat(kNode, beat(1, {report(kChat, true)}), stamp(0)));
    EXPECT_FALSE(table_.view()->find_node(kNode)->takes_work());
    EXPECT_TRUE(table_.get(kNode, at(0))->unreachable_reason.has_value());
    table_.set_reachability(kNode, outcome->registration, false, "timed out");
    EXPECT_EQ(table_.get(kNode, at(0))->unreachable_reason, "timed out");
    EXPECT_TRUE(table_.get(kNode, at(0))->online);
    table_.set_reachability(kNode, outcome->registration, true, "");
    EXPECT_TRUE(table_.view()->find_node(kNode)->takes_work());
    EXPECT_FALSE(table_.get(kNode, at(0))->unreachable_reason.has_value());
}

TEST_F(Table, IgnoresAnAnswerToAnEarlierRegistration) {
    const auto first = table_.register_node(registration(), stamp(0));
    api::RegisterRequest moved = registration();
    moved.address = "http://10.0.0.8:9200";
    ASSERT_TRUE(table_.register_node(moved, stamp(1)));
    table_.set_reachability(kNode, first->registration, true, "");
    EXPECT_FALSE(table_.get(kNode, at(1))->reachable);
}

TEST_F(Table, RegisterAgainKeepsPoolsOfTheSameBoot) {
    join();
    const auto cell = table_.view()->find_pool(kChatKey)->cell;
    ASSERT_TRUE(cell->try_claim());
    ASSERT_TRUE(table_.register_node(registration(), stamp(1000)));
    EXPECT_EQ(status(), NodeStatus::online);
    EXPECT_TRUE(table_.get(kNode, at(1000))->reachable);
    EXPECT_TRUE(table_.get_pool(kChatKey)->ready);
    EXPECT_EQ(table_.view()->find_pool(kChatKey)->cell, cell);
    take();
    EXPECT_FALSE(noted(Kind::registered));
}

TEST_F(Table, AnotherBootStartsFromNothing) {
    join();
    const auto cell = table_.view()->find_pool(kChatKey)->cell;
    ASSERT_TRUE(table_.register_node(registration("b2"), stamp(1000)));
    EXPECT_EQ(status(), NodeStatus::registering);
    EXPECT_FALSE(table_.get_pool(kChatKey)->ready);
    EXPECT_FALSE(table_.get(kNode, at(1000))->reachable);
    EXPECT_NE(table_.view()->find_pool(kChatKey)->cell, cell);
    const auto late = table_.heartbeat(kNode, beat(9, {report(kChat, true)}, "b1"), stamp(1001));
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code, Errc::not_found);
    EXPECT_TRUE(table_.heartbeat(kNode, beat(1, {report(kChat, true)}, "b2"), stamp(1002)));
}

TEST_F(Table, RefusesAnotherMachineWhileTheNodeLives) {
    join();
    api::RegisterRequest thief = registration("b9");
    thief.machine_id = MachineId("m-2");
    const auto refused = table_.register_node(thief, stamp(1000));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::conflict);
    EXPECT_EQ(table_.get(kNode, at(1000))->machine_id.str(), "m-1");
    table_.expire(at(30'000));
    EXPECT_TRUE(table_.register_node(thief, stamp(30'001)));
    EXPECT_EQ(table_.get(kNode, at(30'001))->machine_id.str(), "m-2");
    EXPECT_FALSE(table_.get_pool(kChatKey)->ready);
}

TEST_F(Table, ChecksTheApiVersion) {
    for (const char* good : {"1", "1.0"}) {
        api::RegisterRequest message = registration();
        message.api_version = good;
        EXPECT_TRUE(table_.register_node(message, stamp(0))) << good;
    }
    for (const char* bad : {"2.0", "0.9", "1.1", "", "x", "1.x", "1.0.0"}) {
        api::RegisterRequest message = registration();
        message.api_version = bad;
        const auto refused = table_.register_node(message, stamp(0));
        ASSERT_FALSE(refused) << bad;
        EXPECT_TRUE(refused.error().message.starts_with("api_version: "));
    }
}

TEST_F(Table, AnUnknownNodesHeartbeatIsNotFound) {
    const auto refused = table_.heartbeat(NodeId("nobody"), beat(1, {}), stamp(0));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::not_found);
    EXPECT_TRUE(table_.list(at(0)).empty());
}

TEST_F(Table, AnOldSeqChangesNothingAndIsNoSignOfLife) {
    join();
    for (const std::uint64_t seq : {1U, 0U}) {
        const auto late = table_.heartbeat(kNode, beat(seq, {report(kChat, false)}), stamp(20'000));
        ASSERT_TRUE(late);
        EXPECT_TRUE(late->stale);
    }
    EXPECT_TRUE(table_.get_pool(kChatKey)->ready);
    EXPECT_EQ(table_.next_deadline(), at(30'000));
    EXPECT_EQ(table_.urgency(), Urgency::none);
}

TEST_F(Table, TakesHeartbeatsWithoutSeqOrBoot) {
    join();
    api::HeartbeatRequest plain = beat({}, {report(kChat, false)});
    plain.boot_id.reset();
    ASSERT_TRUE(table_.heartbeat(kNode, plain, stamp(1)));
    EXPECT_FALSE(table_.get_pool(kChatKey)->ready);
}

TEST_F(Table, ASilentNodeGoesOfflineExactlyAtItsDeadline) {
    join();
    ASSERT_TRUE(table_.heartbeat(kNode, beat(2, {report(kChat, true)}), stamp(7'000)));
    EXPECT_EQ(table_.next_deadline(), at(37'000));
    table_.expire(at(37'000) - Duration(1));
    EXPECT_EQ(status(), NodeStatus::online);
    table_.view();
    table_.take_changes();
    table_.expire(at(37'000));
    EXPECT_EQ(status(), NodeStatus::offline);
    EXPECT_FALSE(table_.get(kNode, at(37'000))->online);
    EXPECT_EQ(table_.urgency(), Urgency::at_once);
    EXPECT_FALSE(table_.view()->find_node(kNode)->takes_work());
    take();
    EXPECT_TRUE(noted(Kind::offline));
}

TEST_F(Table, TheNextHeartbeatBringsItBack) {
    join();
    table_.expire(at(30'000));
    ASSERT_TRUE(table_.heartbeat(kNode, beat(2, {report(kChat, true)}), stamp(40'000)));
    EXPECT_EQ(status(), NodeStatus::online);
    EXPECT_EQ(table_.next_deadline(), at(70'000));
    take();
    EXPECT_TRUE(noted(Kind::online));
}

TEST_F(Table, ANodeThatNeverBeatsGoesOfflineToo) {
    ASSERT_TRUE(table_.register_node(registration(), stamp(0)));
    table_.expire(at(30'000));
    EXPECT_EQ(status(), NodeStatus::offline);
    ASSERT_TRUE(table_.register_node(registration(), stamp(31'000)));
    EXPECT_EQ(status(), NodeStatus::registering);
}

TEST_F(Table, OfflineNodesAreForgottenInTheEnd) {
    join();
    table_.expire(at(30'000));
    const Instant forgotten = at(30'000) + hours(24);
    EXPECT_EQ(table_.next_deadline(), forgotten);
    table_.expire(forgotten - Duration(1));
    EXPECT_EQ(table_.list(at(0)).size(), 1U);
    EXPECT_EQ(table_.view()->find_model("qwen").size(), 1U);
    table_.expire(forgotten);
    EXPECT_TRUE(table_.list(at(0)).empty());
    EXPECT_TRUE(table_.view()->find_model("qwen").empty());
    EXPECT_EQ(table_.next_deadline(), std::nullopt);
    take();
    EXPECT_TRUE(noted(Kind::removed));
}

TEST_F(Table, OneLateCallDoesBothSteps) {
    join();
    table_.expire(at(30'000) + hours(24));
    EXPECT_TRUE(table_.list(at(0)).empty());
    take();
    EXPECT_TRUE(noted(Kind::offline));
    EXPECT_TRUE(noted(Kind::removed));
}

TEST_F(Table, DeregisteredNodesLeaveAtOnce) {
    join();
    ASSERT_TRUE(table_.deregister(kNode));
    EXPECT_EQ(table_.urgency(), Urgency::at_once);
    EXPECT_TRUE(table_.view()->nodes().empty());
    EXPECT_EQ(table_.next_deadline(), std::nullopt);
    EXPECT_EQ(table_.deregister(kNode).error().code, Errc::not_found);
}

TEST_F(Table, CapacityIsWhatTheNodeLeavesAndLeases) {
    join();
    const auto cell = table_.view()->find_pool(kChatKey)->cell;
    EXPECT_EQ(cell->capacity(), 4U);
    api::PoolReport shared = report(kChat, true, 1);
    shared.active_leases = 2;  // of four, one is used by others
    ASSERT_TRUE(table_.heartbeat(kNode, beat(2, {shared}), stamp(1)));
    EXPECT_EQ(cell->capacity(), 3U);
    EXPECT_EQ(table_.view()->find_pool(kChatKey)->cell, cell);
}

TEST_F(Table, WithoutLeasesOurOwnClaimsCount) {
    join();
    const auto cell = table_.view()->find_pool(kChatKey)->cell;
    ASSERT_TRUE(cell->try_claim());
    ASSERT_TRUE(cell->try_claim());
    api::PoolReport plain = report(kChat, true, 1);
    plain.active_leases.reset();
    ASSERT_TRUE(table_.heartbeat(kNode, beat(2, {plain}), stamp(1)));
    EXPECT_EQ(cell->capacity(), 3U);
    plain.slots_free = 4;
    ASSERT_TRUE(table_.heartbeat(kNode, beat(3, {plain}), stamp(2)));
    EXPECT_EQ(cell->capacity(), 4U);
}

TEST_F(Table, PoolsComeAndGoWithHeartbeats) {
    join();
    const PoolId other("embed");
    ASSERT_TRUE(table_.heartbeat(kNode, beat(2, {report(other, true)}), stamp(1)));
    EXPECT_EQ(table_.urgency(), Urgency::at_once);
    EXPECT_EQ(table_.view()->find_pool(kChatKey), nullptr);
    EXPECT_NE(table_.view()->find_pool({kNode, other}), nullptr);
    take();
    EXPECT_TRUE(noted(Kind::pool_removed));
    EXPECT_TRUE(noted(Kind::pool_added));
    EXPECT_EQ(table_.get_pool(kChatKey).error().code, Errc::not_found);
}

TEST_F(Table, ReadinessIsNotedWhenItChanges) {
    join();
    api::PoolReport down = report(kChat, false);
    down.last_error = "out of memory";
    ASSERT_TRUE(table_.heartbeat(kNode, beat(2, {down}), stamp(1)));
    EXPECT_EQ(table_.urgency(), Urgency::at_once);
    take();
    ASSERT_EQ(changes_.size(), 1U);
    EXPECT_EQ(changes_[0].kind, Kind::pool_unready);
    EXPECT_EQ(changes_[0].pool, kChat);
    EXPECT_EQ(changes_[0].detail, "out of memory");
    ASSERT_TRUE(table_.heartbeat(kNode, beat(3, {down}), stamp(2)));
    take();
    EXPECT_TRUE(changes_.empty());
    api::PoolReport draining = report(kChat, true);
    draining.draining = true;
    ASSERT_TRUE(table_.heartbeat(kNode, beat(4, {draining}), stamp(3)));
    take();
    EXPECT_TRUE(changes_.empty());
}

TEST_F(Table, AnotherModelCountsAsAnAddedPool) {
    join();
    api::PoolReport swapped = report(kChat, true);
    swapped.served_name = "llama";
    swapped.models_available = {"llama"};
    ASSERT_TRUE(table_.heartbeat(kNode, beat(2, {swapped}), stamp(1)));
    take();
    EXPECT_TRUE(noted(Kind::pool_added));
    EXPECT_TRUE(table_.view()->find_model("qwen").empty());
    EXPECT_EQ(table_.view()->find_model("llama").size(), 1U);
}

TEST_F(Table, CordonedNodesDrain) {
    join();
    ASSERT_TRUE(table_.set_cordoned(kNode, true));
    EXPECT_EQ(status(), NodeStatus::draining);
    EXPECT_TRUE(table_.get(kNode, at(0))->online);
    EXPECT_FALSE(table_.view()->find_node(kNode)->takes_work());
    ASSERT_TRUE(table_.heartbeat(kNode, beat(2, {report(kChat, true)}), stamp(1)));
    EXPECT_EQ(status(), NodeStatus::draining);
    ASSERT_TRUE(table_.set_cordoned(kNode, false));
    EXPECT_EQ(status(), NodeStatus::online);
    take();
    EXPECT_TRUE(noted(Kind::draining));
    EXPECT_TRUE(noted(Kind::uncordoned));
    EXPECT_EQ(table_.set_cordoned(NodeId("x"), true).error().code, Errc::not_found);
}

TEST_F(Table, CordonsOutliveAbsence) {
    table_.restore_cordons({kNode});
    join();
    EXPECT_EQ(status(), NodeStatus::draining);
    ASSERT_TRUE(table_.deregister(kNode));
    join();
    EXPECT_EQ(status(), NodeStatus::draining);
}

api::PoolReport with_replicas(api::PoolReport pool, std::initializer_list<const char*> states) {
    for (const char* state : states) {
        api::ReplicaReport replica;
        replica.replica_id = ReplicaId("r" + std::to_string(pool.replicas.size()));
        replica.state = state;
        pool.replicas.push_back(replica);
    }
    return pool;
}

TEST_F(Table, ANodeWhosePoolsAllCrashLoopHasFailed) {
    join();
    const auto broken = with_replicas(report(kChat, false), {"broken", "broken"});
    const auto half = with_replicas(report(kChat, true), {"broken", "ready"});
    ASSERT_TRUE(table_.heartbeat(kNode, beat(2, {half}), stamp(1)));
    EXPECT_EQ(status(), NodeStatus::online);
    ASSERT_TRUE(table_.heartbeat(kNode, beat(3, {broken}), stamp(2)));
    EXPECT_EQ(status(), NodeStatus::failed);
    EXPECT_EQ(table_.next_deadline(), at(30'002));
    const auto other = report(PoolId("other"), false);
    ASSERT_TRUE(table_.heartbeat(kNode, beat(4, {broken, other}), stamp(3)));
    EXPECT_EQ(status(), NodeStatus::online);
    take();
    EXPECT_TRUE(noted(Kind::failed));
    EXPECT_TRUE(noted(Kind::recovered));
    ASSERT_TRUE(table_.heartbeat(kNode, beat(5, {}), stamp(4)));
    EXPECT_EQ(status(), NodeStatus::online);
}

api::NodeStatusBody polled_body(std::uint64_t seq, std::vector<api::PoolReport> pools) {
    return api::make_node_status(registration(), beat(seq, std::move(pools)));
}

const view::Endpoint kPolledAt{false, "192.168.1.5", 9200};

TEST_F(Table, APollNeverCountsAsAHeartbeat) {
    join();
    const auto polled = table_.polled(
        polled_body(2, {report(kChat, false)}), PollOrigin::registered, kPolledAt, stamp(20'000)
    );
    ASSERT_TRUE(polled);
    EXPECT_FALSE(table_.get_pool(kChatKey)->ready);
    EXPECT_EQ(table_.next_deadline(), at(30'000));
    EXPECT_EQ(table_.get(kNode, at(0))->address, "http://10.0.0.7:9200");
    table_.expire(at(30'000));
    ASSERT_TRUE(table_.polled(
        polled_body(3, {report(kChat, true)}), PollOrigin::registered, kPolledAt, stamp(31'000)
    ));
    EXPECT_EQ(status(), NodeStatus::offline);
}

TEST_F(Table, AnOlderPollLoses) {
    join();
    ASSERT_TRUE(table_.heartbeat(kNode, beat(5, {report(kChat, true)}), stamp(1)));
    const auto polled = table_.polled(
        polled_body(4, {report(kChat, false)}), PollOrigin::registered, kPolledAt, stamp(2)
    );
    ASSERT_TRUE(polled);
    EXPECT_TRUE(polled->stale);
    EXPECT_TRUE(table_.get_pool(kChatKey)->ready);
}

TEST_F(Table, APollOfAnUnknownNodeIsNotFound) {
    const auto polled =
        table_.polled(polled_body(1, {}), PollOrigin::registered, kPolledAt, stamp(0));
    EXPECT_EQ(polled.error().code, Errc::not_found);
}

TEST_F(Table, PollsKeepStaticNodesOnline) {
    const auto poll = [&](std::int64_t ms) {
        return table_.polled(
            polled_body(1, {report(kChat, true)}), PollOrigin::static_node, kPolledAt, stamp(ms)
        );
    };
    ASSERT_TRUE(poll(0));
    EXPECT_EQ(status(), NodeStatus::online);
    EXPECT_EQ(table_.get(kNode, at(0))->address, "http://192.168.1.5:9200");
    EXPECT_TRUE(table_.view()->find_node(kNode)->takes_work());
    const auto cell = table_.view()->find_pool(kChatKey)->cell;
    ASSERT_TRUE(poll(20'000));
    EXPECT_EQ(table_.next_deadline(), at(50'000));
    EXPECT_EQ(table_.view()->find_pool(kChatKey)->cell, cell);
    table_.expire(at(50'000));
    EXPECT_EQ(status(), NodeStatus::offline);
    EXPECT_EQ(table_.next_deadline(), std::nullopt);
    ASSERT_TRUE(poll(60'000));
    EXPECT_EQ(status(), NodeStatus::online);
}

TEST_F(Table, ShortPoolIdsMayBeAmbiguous) {
    join();
    EXPECT_EQ(table_.find_pool(kChat), kChatKey);
    EXPECT_EQ(table_.find_pool(PoolId("nope")).error().code, Errc::not_found);
    api::RegisterRequest second = registration();
    second.node_id = NodeId("gpu-2");
    ASSERT_TRUE(table_.register_node(second, stamp(1)));
    const auto ambiguous = table_.find_pool(kChat);
    ASSERT_FALSE(ambiguous);
    EXPECT_EQ(ambiguous.error().code, Errc::ambiguous_pool);
    EXPECT_TRUE(ambiguous.error().message.contains("gpu-1, gpu-2"));
    EXPECT_EQ(table_.nodes_with_pool(kChat), (std::vector{NodeId("gpu-1"), NodeId("gpu-2")}));
    EXPECT_EQ(table_.list_pools().size(), 2U);
}

TEST_F(Table, DescribesNodes) {
    join();
    api::HeartbeatRequest full = beat(2, {report(kChat, true, 3)});
    full.models = {{"qwen.gguf", std::nullopt, 5, "ready"}};
    full.gpus = {{0, 24, 12, 0.5, std::nullopt}};
    full.disk_free_bytes = 99;
    ASSERT_TRUE(table_.heartbeat(kNode, full, stamp(1'000)));
    ASSERT_TRUE(table_.view()->find_pool(kChatKey)->cell->try_claim());
    const auto info = table_.get(kNode, at(3'500));
    ASSERT_TRUE(info);
    EXPECT_EQ(info->registered_at_ms, 1'700'000'000'000);
    EXPECT_EQ(info->last_heartbeat_ms, 1'700'000'001'000);
    EXPECT_EQ(info->heartbeat_age_ms, 2'500);
    EXPECT_EQ(info->models.at(0).id, "qwen.gguf");
    EXPECT_EQ(info->gpus.size(), 1U);
    EXPECT_EQ(info->disk_free_bytes, 99U);
    ASSERT_EQ(info->pools.size(), 1U);
    EXPECT_EQ(info->pools[0].slots_free, 3U);
    EXPECT_EQ(info->pools[0].claimed, 1U);
    ASSERT_TRUE(table_.heartbeat(kNode, beat(3, {report(kChat, true)}), stamp(2'000)));
    EXPECT_EQ(table_.get(kNode, at(3'500))->models.size(), 1U);
    EXPECT_EQ(table_.get(NodeId("x"), at(0)).error().code, Errc::not_found);
}

TEST_F(Table, NewSettingsCountFromTheNextEvent) {
    join();
    table_.set_config({.node_timeout = seconds(5), .heartbeat_interval = seconds(1)});
    const auto beaten = table_.heartbeat(kNode, beat(2, {report(kChat, true)}), stamp(1'000));
    EXPECT_EQ(beaten->response.next_heartbeat_ms, 1'000U);
    EXPECT_EQ(table_.next_deadline(), at(6'000));
}

}  // namespace
}  // namespace orch::control::registry
