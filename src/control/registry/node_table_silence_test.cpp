#include "control/registry/node_table_fixture.hpp"

#include <fmt/format.h>

namespace orch::control::registry {
namespace {

// Nodes n0, n1, ... with a ready pool of the same model each.
class NodeTableSilence : public testing::Test {
protected:
    static NodeId id(int node) { return NodeId(fmt::format("n{}", node)); }

    static view::Endpoint address(int node) {
        return {false, fmt::format("10.0.0.{}", node), 9200};
    }

    void join(int node, const std::string& model = "qwen") {
        api::RegisterRequest message = registration();
        message.node_id = id(node);
        message.address = fmt::format("http://10.0.0.{}:9200", node);
        const auto outcome = table_.register_node(message, stamp(0));
        ASSERT_TRUE(outcome);
        table_.set_reachability(id(node), outcome->registration, true, "");
        api::PoolReport pool = report(kChat, true);
        pool.served_name = model;
        pool.models_available = {model};
        ASSERT_TRUE(table_.heartbeat(id(node), beat(1, {pool}), stamp(0)));
    }

    void silence(int node) { table_.address_silent(id(node), address(node), "no answer"); }

    void answer(int node) { table_.set_reachability(id(node), address(node), true, ""); }

    bool works(int node) { return table_.view()->find_node(id(node))->takes_work(); }

    bool shown_reachable(int node) { return table_.get(id(node), at(0))->reachable; }

    NodeTable table_{{}, at(0)};
};

TEST_F(NodeTableSilence, TakesWorkFromHalfOfAModelsPoolsAtMost) {
    for (int node = 0; node < 4; ++node) {
        join(node);
    }
    for (int node = 0; node < 4; ++node) {
        silence(node);
        EXPECT_FALSE(shown_reachable(node)) << "the truth is told";
    }
    EXPECT_FALSE(works(0));
    EXPECT_FALSE(works(1));
    EXPECT_TRUE(works(2)) << "more than half would be gone";
    EXPECT_TRUE(works(3));
    EXPECT_TRUE(table_.view()->list_model("qwen")[3].open);
}

TEST_F(NodeTableSilence, CountsAgainWithEachPoll) {
    for (int node = 0; node < 4; ++node) {
        join(node);
    }
    for (int node = 0; node < 4; ++node) {
        silence(node);
    }
    answer(0);
    EXPECT_TRUE(works(0));
    silence(2);
    EXPECT_FALSE(works(2)) << "there is room for one more now";
    silence(3);
    EXPECT_TRUE(works(3));
    answer(3);
    EXPECT_TRUE(works(3));
    EXPECT_TRUE(shown_reachable(3));
}

TEST_F(NodeTableSilence, OfAModelWithOnePoolThatOneKeepsItsWork) {
    join(0);
    join(1, "llama");
    silence(0);
    EXPECT_TRUE(works(0));
}

TEST_F(NodeTableSilence, OfflineNodesDoNotCount) {
    join(0);
    join(1);
    table_.expire(at(30'000));
    ASSERT_TRUE(table_.heartbeat(id(1), beat(2, {report(kChat, true)}), stamp(30'001)));
    silence(1);
    EXPECT_TRUE(works(1)) << "it is the only one";
    silence(0);
    EXPECT_FALSE(works(0));
}

TEST_F(NodeTableSilence, IsNotWhatKeepsAnotherMachineOrANewNodeOut) {
    join(0);
    table_.set_reachability(id(0), address(0), false, "another node answers there");
    EXPECT_FALSE(works(0));
    silence(0);
    EXPECT_FALSE(works(0)) << "it was not reached before";
}

}  // namespace
}  // namespace orch::control::registry
