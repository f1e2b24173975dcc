#include "control/view/cluster_view.hpp"

#include <gtest/gtest.h>

namespace orch::control::view {
namespace {

PoolBlock pool(std::string node, std::string id, std::vector<std::string> models) {
    PoolBlock block;
    block.key = {NodeId(std::move(node)), PoolId(std::move(id))};
    block.served_name = models.empty() ? "" : models.front();
    block.models = std::move(models);
    block.ready = true;
    block.slots_total = 4;
    block.cell = std::make_shared<LoadCell>(4U);
    return block;
}

NodeBlock node(std::string id, std::vector<PoolBlock> pools) {
    NodeBlock block;
    block.id = NodeId(std::move(id));
    block.status = NodeStatus::online;
    block.online = true;
    block.reachable = true;
    block.pools = std::move(pools);
    return block;
}

ClusterView view_of(std::vector<NodeBlock> blocks) {
    std::vector<NodeBlockPtr> nodes;
    for (NodeBlock& block : blocks) {
        nodes.push_back(std::make_shared<const NodeBlock>(std::move(block)));
    }
    auto index = std::make_shared<const ModelIndex>(nodes);
    return ClusterView(1, std::move(nodes), std::move(index), Instant{});
}

TEST(ClusterView, FindsPoolsByServedNameAndAlias) {
    const auto view = view_of(
        {node("a", {pool("a", "p", {"qwen", "gpt"})}),
         node("b", {pool("b", "q", {"qwen"}), pool("b", "r", {"llama"})})}
    );
    ASSERT_EQ(view.find_model("qwen").size(), 2U);
    ASSERT_EQ(view.find_model("gpt").size(), 1U);
    EXPECT_EQ(view.pool(view.find_model("llama")[0]).key.pool.str(), "r");
    EXPECT_EQ(view.node(view.find_model("llama")[0]).id.str(), "b");
    EXPECT_TRUE(view.find_model("qwe").empty());
    EXPECT_TRUE(view.find_model("").empty());
}

TEST(ClusterView, ListsModelsOfNodesThatAreOffline) {
    NodeBlock gone = node("a", {pool("a", "p", {"qwen"})});
    gone.status = NodeStatus::offline;
    gone.online = false;
    const auto view = view_of({gone});
    EXPECT_EQ(view.find_model("qwen").size(), 1U);
    EXPECT_EQ(view.nodes_online(), 0U);
    EXPECT_EQ(view.pools_ready(), 0U);
}

TEST(ClusterView, SortsPoolsByKind) {
    PoolBlock embedding = pool("a", "e", {"bge"});
    embedding.kind = ModelKind::embedding;
    const auto view = view_of({node("a", {embedding, pool("a", "p", {"qwen"})})});
    ASSERT_EQ(view.pools_of(ModelKind::chat).size(), 1U);
    EXPECT_EQ(view.pool(view.pools_of(ModelKind::embedding)[0]).served_name, "bge");
    EXPECT_TRUE(view.pools_of(ModelKind::rerank).empty());
}

TEST(ClusterView, FindsNodesAndPoolsById) {
    const auto view = view_of({node("a", {}), node("c", {pool("c", "p", {})})});
    EXPECT_EQ(view.find_node(NodeId("b")), nullptr);
    EXPECT_EQ(view.find_node(NodeId("d")), nullptr);
    ASSERT_NE(view.find_node(NodeId("c")), nullptr);
    EXPECT_NE(view.find_pool({NodeId("c"), PoolId("p")}), nullptr);
    EXPECT_EQ(view.find_pool({NodeId("a"), PoolId("p")}), nullptr);
}

TEST(ClusterView, QueuesAliasesUnderTheServedName) {
    const auto view = view_of(
        {node("a", {pool("a", "p", {"qwen", "gpt", "any"}), pool("a", "q", {"llama", "any"})})}
    );
    EXPECT_EQ(view.queue_name("gpt"), "qwen");
    EXPECT_EQ(view.queue_name("qwen"), "qwen");
    EXPECT_EQ(view.queue_name("any"), "any");
    EXPECT_EQ(view.queue_name("unknown"), "unknown");
    EXPECT_EQ(view.queue_name(""), "");
}

TEST(ClusterView, CountsReadyPoolsOfWorkingNodes) {
    PoolBlock draining = pool("a", "d", {});
    draining.draining = true;
    PoolBlock loading = pool("a", "l", {});
    loading.ready = false;
    NodeBlock cut_off = node("b", {pool("b", "p", {})});
    cut_off.reachable = false;
    const auto view = view_of({node("a", {draining, loading, pool("a", "p", {})}), cut_off});
    EXPECT_EQ(view.pools_ready(), 1U);
    EXPECT_EQ(view.nodes_online(), 2U);
}

TEST(ClusterView, IsWarmUntilTheGivenInstant) {
    const ClusterView view(
        1, {}, std::make_shared<const ModelIndex>(), Instant(std::chrono::seconds(30))
    );
    EXPECT_TRUE(view.warming_up(Instant(std::chrono::seconds(29))));
    EXPECT_FALSE(view.warming_up(Instant(std::chrono::seconds(30))));
    EXPECT_TRUE(ClusterView().warming_up(Instant(std::chrono::hours(1))));
}

TEST(PoolBlock, CountsClaimsAndForeignSlotsAsBusy) {
    PoolBlock block = pool("a", "p", {});
    EXPECT_EQ(block.busy(), 0U);
    ASSERT_TRUE(block.cell->try_claim());
    EXPECT_EQ(block.busy(), 1U);
    block.cell->set_capacity(2);  // others hold two of the four
    EXPECT_EQ(block.busy(), 3U);
    block.cell->set_capacity(9);
    EXPECT_EQ(block.busy(), 1U);
}

TEST(PoolBlock, CarriesItsOwnLabelsBeforeThoseOfItsNode) {
    NodeBlock block = node("a", {pool("a", "p", {})});
    block.machine_id = MachineId("box");
    block.labels = {{"zone", "x"}, {"tier", "slow"}};
    block.pools[0].labels = {{"tier", "fast"}};
    const PoolBlock& labelled = block.pools[0];
    EXPECT_EQ(label_of(block, labelled, "tier"), "fast");
    EXPECT_EQ(label_of(block, labelled, "zone"), "x");
    EXPECT_EQ(label_of(block, labelled, "rack"), "");
    EXPECT_EQ(label_of(block, labelled, "node_id"), "a");
    EXPECT_EQ(label_of(block, labelled, "machine_id"), "box");
}

TEST(NodeBlock, KeepsItsShapeWhenOnlyFiguresMove) {
    const NodeBlock before = node("a", {pool("a", "p", {"qwen"})});
    NodeBlock figures = before;
    figures.pools[0].vram_free = 7;
    figures.pools[0].ready = false;
    figures.status = NodeStatus::offline;
    EXPECT_TRUE(figures.same_shape(before));
    NodeBlock models = before;
    models.pools[0].models.emplace_back("alias");
    EXPECT_FALSE(models.same_shape(before));
    NodeBlock kinds = before;
    kinds.pools[0].kind = ModelKind::rerank;
    EXPECT_FALSE(kinds.same_shape(before));
    EXPECT_FALSE(node("a", {}).same_shape(before));
}

}  // namespace
}  // namespace orch::control::view
