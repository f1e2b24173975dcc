#include "control/registry/node_table_fixture.hpp"

namespace orch::control::registry {
namespace {

using std::chrono::seconds;

class NodeTablePools : public NodeTableTest {};

TEST_F(NodeTablePools, CapacityIsWhatTheNodeLeavesAndLeases) {
    join();
    const auto cell = table_.view()->find_pool(kChatKey)->cell;
    EXPECT_EQ(cell->capacity(), 4U);
    api::PoolReport shared = report(kChat, true, 1);
    shared.active_leases = 2;  // of four, one is used by others
    ASSERT_TRUE(table_.heartbeat(kNode, beat(2, {shared}), stamp(1)));
    EXPECT_EQ(cell->capacity(), 3U);
    EXPECT_EQ(table_.view()->find_pool(kChatKey)->cell, cell);
}

TEST_F(NodeTablePools, WithoutLeasesOurOwnClaimsCount) {
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

TEST_F(NodeTablePools, PoolsComeAndGoWithHeartbeats) {
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

TEST_F(NodeTablePools, ReadinessIsNotedWhenItChanges) {
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

TEST_F(NodeTablePools, APoolThatWasReadyIsExpectedBackWhileSomebodyIsAtWorkOnIt) {
    join();
    const auto left_at = [this] { return table_.view()->find_pool(kChatKey)->left_at; };
    EXPECT_FALSE(left_at());
    api::PoolReport down = report(kChat, false);
    down.replicas.resize(1);
    down.replicas[0].state = "starting";
    ASSERT_TRUE(table_.heartbeat(kNode, beat(2, {down}), stamp(5)));
    EXPECT_EQ(left_at(), at(5));
    ASSERT_TRUE(table_.heartbeat(kNode, beat(3, {down}), stamp(9)));
    EXPECT_EQ(left_at(), at(5)) << "it counts from when it was ready";
    for (const std::string_view state : {api::kReplicaBroken, api::kReplicaStopped}) {
        down.replicas[0].state = std::string(state);
        ASSERT_TRUE(table_.heartbeat(kNode, beat(std::nullopt, {down}), stamp(10)));
        EXPECT_FALSE(left_at()) << state;
    }
    ASSERT_TRUE(table_.heartbeat(kNode, beat(std::nullopt, {report(kChat, true)}), stamp(11)));
    EXPECT_FALSE(left_at());
    down = report(kChat, true);
    down.draining = true;
    ASSERT_TRUE(table_.heartbeat(kNode, beat(std::nullopt, {down}), stamp(12)));
    EXPECT_FALSE(left_at()) << "a pool that drains does not come back";
}

// A request that a pool failed may come back when the pool's engines are others.
TEST_F(NodeTablePools, AnotherLifeBeginsWithOtherEngines) {
    join();
    std::uint64_t seq = 1;
    const auto life_after = [&](std::vector<api::PoolReport> pools) {
        EXPECT_TRUE(table_.heartbeat(kNode, beat(++seq, std::move(pools)), stamp(1)));
        return table_.view()->find_pool(kChatKey)->life;
    };
    api::PoolReport with_engine = report(kChat, true);
    with_engine.replicas.resize(1);
    with_engine.replicas[0].pid = 100;
    const std::uint64_t first = life_after({with_engine});
    EXPECT_EQ(life_after({with_engine}), first);
    EXPECT_EQ(life_after({report(kChat, false)}), first) << "it still is the one that failed";
    const std::uint64_t second = life_after({with_engine});
    EXPECT_GT(second, first);
    with_engine.replicas[0].pid = 101;
    const std::uint64_t third = life_after({with_engine});
    EXPECT_GT(third, second) << "it was down so shortly that no report says so";
    ASSERT_TRUE(table_.register_node(registration("b2"), stamp(2)));
    ASSERT_TRUE(table_.heartbeat(kNode, beat(1, {with_engine}, "b2"), stamp(2)));
    EXPECT_GT(table_.view()->find_pool(kChatKey)->life, third);
}

TEST_F(NodeTablePools, AnotherLifeBeginsAfterAnAbsence) {
    join();
    const std::uint64_t before = table_.view()->find_pool(kChatKey)->life;
    const Stamp late{at(0) + config_.node_timeout + seconds(1), stamp(0).wall};
    table_.expire(late.at);
    ASSERT_TRUE(table_.heartbeat(kNode, beat(2, {report(kChat, true)}), late));
    EXPECT_GT(table_.view()->find_pool(kChatKey)->life, before);
}

TEST_F(NodeTablePools, AnotherModelCountsAsAnAddedPool) {
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

TEST_F(NodeTablePools, CordonedNodesDrain) {
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

TEST_F(NodeTablePools, CordonsOutliveAbsence) {
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

TEST_F(NodeTablePools, ANodeWhosePoolsAllCrashLoopHasFailed) {
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

TEST_F(NodeTablePools, APollNeverCountsAsAHeartbeat) {
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

TEST_F(NodeTablePools, AnOlderPollLoses) {
    join();
    ASSERT_TRUE(table_.heartbeat(kNode, beat(5, {report(kChat, true)}), stamp(1)));
    const auto polled = table_.polled(
        polled_body(4, {report(kChat, false)}), PollOrigin::registered, kPolledAt, stamp(2)
    );
    ASSERT_TRUE(polled);
    EXPECT_TRUE(polled->stale);
    EXPECT_TRUE(table_.get_pool(kChatKey)->ready);
}

TEST_F(NodeTablePools, AHeartbeatThatAPollOvertookIsASignOfLifeAndTellsNothing) {
    join();
    const auto overtaken_beat = [&](std::uint64_t seq, std::int64_t ms) {
        ASSERT_TRUE(table_.polled(
            polled_body(seq + 1, {report(kChat, true)}),
            PollOrigin::registered,
            kPolledAt,
            stamp(ms)
        ));
        const auto late = table_.heartbeat(kNode, beat(seq, {report(kChat, false)}), stamp(ms));
        ASSERT_TRUE(late);
        EXPECT_TRUE(late->stale);
        EXPECT_TRUE(table_.get_pool(kChatKey)->ready);
        EXPECT_EQ(status(), NodeStatus::online);
        EXPECT_EQ(table_.next_deadline(), at(ms + 30'000));
    };
    overtaken_beat(2, 20'000);
    ASSERT_TRUE(table_.heartbeat(kNode, beat(2, {report(kChat, false)}), stamp(25'000)));
    EXPECT_EQ(table_.next_deadline(), at(50'000)) << "a repeated one is no sign of life";
    table_.expire(at(50'000));
    EXPECT_EQ(status(), NodeStatus::offline);
    overtaken_beat(4, 60'000);
}

TEST_F(NodeTablePools, APollOfAnUnknownNodeIsNotFound) {
    const auto polled =
        table_.polled(polled_body(1, {}), PollOrigin::registered, kPolledAt, stamp(0));
    EXPECT_EQ(polled.error().code, Errc::not_found);
}

TEST_F(NodeTablePools, PollsKeepStaticNodesOnline) {
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

TEST_F(NodeTablePools, ShortPoolIdsMayBeAmbiguous) {
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

TEST_F(NodeTablePools, DescribesNodes) {
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

TEST_F(NodeTablePools, NewSettingsCountFromTheNextEvent) {
    join();
    table_.set_config({.node_timeout = seconds(5), .heartbeat_interval = seconds(1)});
    const auto beaten = table_.heartbeat(kNode, beat(2, {report(kChat, true)}), stamp(1'000));
    EXPECT_EQ(beaten->response.next_heartbeat_ms, 1'000U);
    EXPECT_EQ(table_.next_deadline(), at(6'000));
}

}  // namespace
}  // namespace orch::control::registry
