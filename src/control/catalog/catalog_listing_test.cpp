#include "control/catalog/catalog_listing.hpp"

#include <gtest/gtest.h>

namespace orch::control::catalog {
namespace {

constexpr WallTime kNow{std::chrono::milliseconds(1000)};

api::NodeInfo node_with(std::string id, std::string model, bool online = true) {
    api::NodeInfo node;
    node.node_id = NodeId(std::move(id));
    node.online = online;
    node.models = {{.id = std::move(model), .digest = "sha256:1", .bytes = 7, .state = "ready"}};
    return node;
}

CatalogTable table_with(std::string id) {
    CatalogTable table;
    api::CatalogModel model;
    model.id = std::move(id);
    table.put(std::move(model), kNow);
    return table;
}

TEST(CatalogListing, JoinsEntriesAndCopies) {
    const std::vector nodes{
        node_with("n1", "tiny"), node_with("n2", "tiny"), node_with("n3", "loose")
    };
    const auto list = list_catalog(table_with("tiny"), nodes, kNow);
    ASSERT_EQ(list.count, 2U);
    EXPECT_EQ(list.models[0].id, "loose");
    EXPECT_FALSE(list.models[0].registered);
    EXPECT_TRUE(list.models[1].registered);
    ASSERT_EQ(list.models[1].nodes.size(), 2U);
    EXPECT_EQ(list.models[1].nodes[1].node_id, NodeId("n2"));
}

TEST(CatalogListing, LeavesOutCopiesOfNodesThatAreNotOnline) {
    const std::vector nodes{node_with("n1", "tiny", false)};
    EXPECT_EQ(list_catalog({}, nodes, kNow).count, 0U);
    EXPECT_TRUE(list_catalog(table_with("tiny"), nodes, kNow).models.at(0).nodes.empty());
}

TEST(CatalogListing, ShowsAPassedDeadlineAsRetired) {
    CatalogTable table = table_with("tiny");
    table.set_state("tiny", {"Retired", 500}, kNow);
    EXPECT_EQ(get_catalog_model(table, {}, "tiny", kNow)->state, "Active");
    const WallTime later = kNow + std::chrono::milliseconds(500);
    EXPECT_EQ(get_catalog_model(table, {}, "tiny", later)->state, "Retired");
}

TEST(CatalogListing, AnUnknownModelIsNotFound) {
    EXPECT_EQ(get_catalog_model({}, {}, "tiny", kNow).error().code, Errc::not_found);
    const std::vector nodes{node_with("n1", "tiny")};
    EXPECT_TRUE(get_catalog_model({}, nodes, "tiny", kNow));
}

}  // namespace
}  // namespace orch::control::catalog
