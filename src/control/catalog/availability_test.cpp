#include "control/catalog/availability.hpp"

#include <gtest/gtest.h>

namespace orch::control::catalog {
namespace {

api::PoolInfo pool(std::string id, std::vector<std::string> models, std::uint32_t slots = 4) {
    api::PoolInfo out;
    out.pool_id = PoolId(std::move(id));
    out.ready = true;
    out.slots_total = slots;
    out.models_available = std::move(models);
    return out;
}

api::NodeInfo node(std::string id, std::vector<api::PoolInfo> pools, bool online = true) {
    api::NodeInfo out;
    out.node_id = NodeId(id);
    out.address = "http://" + id + ":9200";
    out.online = online;
    out.pools = std::move(pools);
    return out;
}

using Names = std::vector<std::string>;

TEST(CatalogAvailability, CountsNodesAndNotPools) {
    const std::vector nodes{node("n1", {pool("a", {"tiny"}), pool("b", {"tiny"})})};
    const auto seen = make_availability(nodes);
    EXPECT_TRUE(seen.replicated_models.empty());
    EXPECT_EQ(seen.single_node_models, Names{"tiny"});
    ASSERT_EQ(seen.models.size(), 1U);
    EXPECT_EQ(seen.models[0].total_nodes, 1U);
    EXPECT_EQ(seen.models[0].total_capacity, 8U);
}

TEST(CatalogAvailability, ReplicatedIsOnTwoOnlineNodes) {
    const std::vector nodes{
        node("n1", {pool("a", {"tiny", "alias"})}),
        node("n2", {pool("a", {"tiny"}, 2)}),
        node("n3", {pool("a", {"alias"})}, false),
    };
    const auto seen = make_availability(nodes);
    EXPECT_EQ(seen.replicated_models, Names{"tiny"});
    EXPECT_EQ(seen.single_node_models, Names{"alias"});
    EXPECT_EQ(seen.total_models, 2U);
    EXPECT_EQ(seen.models[1].model_id, "tiny");
    EXPECT_EQ(seen.models[1].nodes, (std::vector{NodeId("n1"), NodeId("n2")}));
    EXPECT_EQ(seen.models[1].total_capacity, 6U);
}

TEST(CatalogAvailability, ListsNodesThatAreNotOnline) {
    const std::vector nodes{node("n1", {pool("a", {"tiny"})}, false), node("n2", {})};
    const auto seen = make_availability(nodes);
    ASSERT_EQ(seen.nodes.size(), 2U);
    EXPECT_FALSE(seen.nodes.at("n1").online);
    EXPECT_EQ(seen.nodes.at("n1").models, Names{"tiny"});
    EXPECT_EQ(seen.nodes.at("n1").pools.at(0).models, Names{"tiny"});
    EXPECT_EQ(seen.nodes.at("n2").address, "http://n2:9200");
    ASSERT_EQ(seen.models.size(), 1U);
    EXPECT_EQ(seen.models[0].total_nodes, 0U);
    EXPECT_EQ(seen.models[0].total_capacity, 0U);
    EXPECT_TRUE(seen.single_node_models.empty());
}

TEST(CatalogAvailability, AReadyFileCountsAndAnUnfinishedOneDoesNot) {
    api::NodeInfo stored = node("n1", {});
    stored.models = {
        {.id = "tiny", .digest = {}, .bytes = 7, .state = "ready"},
        {.id = "large", .digest = {}, .bytes = 7, .state = "staging"},
        {.id = "broken", .digest = {}, .bytes = 7, .state = "corrupt"},
    };
    const std::vector nodes{stored, node("n2", {pool("a", {"tiny"})})};
    const auto seen = make_availability(nodes);
    EXPECT_EQ(seen.nodes.at("n1").models, Names{"tiny"});
    EXPECT_EQ(seen.replicated_models, Names{"tiny"});
    EXPECT_EQ(seen.models.at(0).total_capacity, 4U);
}

TEST(CatalogAvailability, OfNoNodeIsEmpty) {
    const auto seen = make_availability({});
    EXPECT_EQ(
        api::to_json(seen),
        R"({"nodes":{},"models":[],"total_models":0,"replicated_models":[],"single_node_models":[]})"
    );
}

}  // namespace
}  // namespace orch::control::catalog
