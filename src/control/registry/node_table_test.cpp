#include "control/registry/node_table.hpp"

#include "control/registry/node_table_fixture.hpp"

namespace orch::control::registry {
namespace {

using std::chrono::hours;

TEST_F(NodeTableTest, NodeJoins) {
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

TEST_F(NodeTableTest, GetsNoWorkBeforeItsAddressAnswers) {
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

TEST_F(NodeTableTest, IgnoresAnAnswerToAnEarlierRegistration) {
    const auto first = table_.register_node(registration(), stamp(0));
    api::RegisterRequest moved = registration();
    moved.address = "http://10.0.0.8:9200";
    ASSERT_TRUE(table_.register_node(moved, stamp(1)));
    table_.set_reachability(kNode, first->registration, true, "");
    EXPECT_FALSE(table_.get(kNode, at(1))->reachable);
}

TEST_F(NodeTableTest, RegisterAgainKeepsPoolsOfTheSameBoot) {
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

TEST_F(NodeTableTest, AnotherBootStartsFromNothing) {
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

TEST_F(NodeTableTest, RefusesAnotherMachineWhileTheNodeLives) {
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

TEST_F(NodeTableTest, ChecksTheApiVersion) {
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

TEST_F(NodeTableTest, AnUnknownNodesHeartbeatIsNotFound) {
    const auto refused = table_.heartbeat(NodeId("nobody"), beat(1, {}), stamp(0));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::not_found);
    EXPECT_TRUE(table_.list(at(0)).empty());
}

TEST_F(NodeTableTest, AnOlderHeartbeatChangesNothingAndIsNoSignOfLife) {
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

TEST_F(NodeTableTest, TakesHeartbeatsWithoutSeqOrBoot) {
    join();
    api::HeartbeatRequest plain = beat({}, {report(kChat, false)});
    plain.boot_id.reset();
    ASSERT_TRUE(table_.heartbeat(kNode, plain, stamp(1)));
    EXPECT_FALSE(table_.get_pool(kChatKey)->ready);
}

TEST_F(NodeTableTest, TheClocksOfNodesDoNotMatter) {
    join();
    std::uint64_t seq = 1;
    for (const char* timestamp : {"1970-01-01T00:00:00Z", "2999-01-01T00:00:00Z", "yesterday"}) {
        api::HeartbeatRequest message = beat(++seq, {report(kChat, true)});
        message.timestamp = timestamp;
        ASSERT_TRUE(table_.heartbeat(kNode, message, stamp(1000)));
        EXPECT_EQ(table_.next_deadline(), at(31'000)) << timestamp;
        EXPECT_EQ(table_.get(kNode, at(1000))->heartbeat_age_ms, 0);
    }
}

TEST_F(NodeTableTest, OurWallClockMayJump) {
    join();
    const Stamp back{at(1000), WallTime(std::chrono::milliseconds(5))};
    ASSERT_TRUE(table_.heartbeat(kNode, beat(2, {report(kChat, true)}), back));
    EXPECT_EQ(table_.next_deadline(), at(31'000));
    EXPECT_EQ(table_.get(kNode, at(3000))->heartbeat_age_ms, 2000);
}

TEST_F(NodeTableTest, ASilentNodeGoesOfflineExactlyAtItsDeadline) {
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

TEST_F(NodeTableTest, TheNextHeartbeatBringsItBack) {
    join();
    table_.expire(at(30'000));
    ASSERT_TRUE(table_.heartbeat(kNode, beat(2, {report(kChat, true)}), stamp(40'000)));
    EXPECT_EQ(status(), NodeStatus::online);
    EXPECT_EQ(table_.next_deadline(), at(70'000));
    take();
    EXPECT_TRUE(noted(Kind::online));
}

TEST_F(NodeTableTest, ANodeThatNeverBeatsGoesOfflineToo) {
    ASSERT_TRUE(table_.register_node(registration(), stamp(0)));
    table_.expire(at(30'000));
    EXPECT_EQ(status(), NodeStatus::offline);
    ASSERT_TRUE(table_.register_node(registration(), stamp(31'000)));
    EXPECT_EQ(status(), NodeStatus::registering);
}

TEST_F(NodeTableTest, OfflineNodesAreForgottenInTheEnd) {
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

TEST_F(NodeTableTest, OneLateCallDoesBothSteps) {
    join();
    table_.expire(at(30'000) + hours(24));
    EXPECT_TRUE(table_.list(at(0)).empty());
    take();
    EXPECT_TRUE(noted(Kind::offline));
    EXPECT_TRUE(noted(Kind::removed));
}

TEST_F(NodeTableTest, DeregisteredNodesLeaveAtOnce) {
    join();
    ASSERT_TRUE(table_.deregister(kNode));
    EXPECT_EQ(table_.urgency(), Urgency::at_once);
    EXPECT_TRUE(table_.view()->nodes().empty());
    EXPECT_EQ(table_.next_deadline(), std::nullopt);
    EXPECT_EQ(table_.deregister(kNode).error().code, Errc::not_found);
}

}  // namespace
}  // namespace orch::control::registry
