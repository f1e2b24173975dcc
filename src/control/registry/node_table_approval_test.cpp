#include "control/registry/node_table_fixture.hpp"

namespace orch::control::registry {
namespace {

class NodeTableApproval : public NodeTableTest {
protected:
    void join_for_approval(NodeTable& table) {
        const auto outcome = table.register_node(registration(), stamp(0));
        ASSERT_TRUE(outcome);
        table.set_reachability(kNode, outcome->registration, true, "");
        ASSERT_TRUE(table.heartbeat(kNode, beat(1, {report(kChat, true)}), stamp(0)));
        changes_ = table.take_changes();
    }

    static RegistryConfig asking() { return {.approve_nodes = true}; }

    NodeTable table_{asking(), at(0)};
};

TEST_F(NodeTableApproval, ANewNodeWaitsWithoutWork) {
    join_for_approval(table_);
    const auto info = table_.get(kNode, at(0));
    EXPECT_EQ(info->status, NodeStatus::pending);
    EXPECT_TRUE(info->online);
    EXPECT_TRUE(noted(Kind::pending));
    EXPECT_FALSE(table_.view()->find_node(kNode)->takes_work());
    EXPECT_EQ(table_.view()->pools_ready(), 0U);
    EXPECT_FALSE(table_.view()->list_model("qwen")[0].open);
}

TEST_F(NodeTableApproval, AnApprovedOneTakesWorkAndStaysApproved) {
    join_for_approval(table_);
    ASSERT_TRUE(table_.approve(kNode));
    changes_ = table_.take_changes();
    EXPECT_TRUE(noted(Kind::approved));
    EXPECT_TRUE(table_.view()->find_node(kNode)->takes_work());
    ASSERT_TRUE(table_.deregister(kNode));
    join_for_approval(table_);
    EXPECT_EQ(table_.get(kNode, at(0))->status, NodeStatus::online);
    EXPECT_EQ(table_.approved(), std::set<NodeId>{kNode});
}

TEST_F(NodeTableApproval, ACordonedOneDrainsOnceItIsApproved) {
    join_for_approval(table_);
    ASSERT_TRUE(table_.set_cordoned(kNode, true));
    EXPECT_EQ(table_.get(kNode, at(0))->status, NodeStatus::pending);
    ASSERT_TRUE(table_.approve(kNode));
    EXPECT_EQ(table_.get(kNode, at(0))->status, NodeStatus::draining);
}

TEST_F(NodeTableApproval, OutlivesARestart) {
    table_.restore_approvals({kNode});
    join_for_approval(table_);
    EXPECT_EQ(table_.get(kNode, at(0))->status, NodeStatus::online);
}

TEST_F(NodeTableApproval, CannotBeGivenToWhoIsUnknown) {
    const auto outcome = table_.approve(kNode);
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, Errc::not_found);
    EXPECT_TRUE(table_.approved().empty());
}

TEST_F(NodeTableApproval, IsNotAskedOfNodesAddedByHand) {
    api::NodeStatusBody body =
        api::make_node_status(registration(), beat(1, {report(kChat, true)}));
    ASSERT_TRUE(table_.polled(body, PollOrigin::static_node, {false, "10.0.0.7", 9200}, stamp(0)));
    EXPECT_EQ(table_.get(kNode, at(0))->status, NodeStatus::online);
}

TEST_F(NodeTableApproval, IsNotAskedOfTheNodeAtHome) {
    NodeTable home({.approve_nodes = true, .home = true}, at(0));
    join_for_approval(home);
    EXPECT_EQ(home.get(kNode, at(0))->status, NodeStatus::online);
}

TEST_F(NodeTableApproval, DoesNotChangeWhileTheProgramRuns) {
    table_.set_config({});
    join_for_approval(table_);
    EXPECT_EQ(table_.get(kNode, at(0))->status, NodeStatus::pending);
}

}  // namespace
}  // namespace orch::control::registry
