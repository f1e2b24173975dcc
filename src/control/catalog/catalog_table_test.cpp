#include "control/catalog/catalog_table.hpp"

#include <gtest/gtest.h>

namespace orch::control::catalog {
namespace {

WallTime at(std::int64_t ms) {
    return WallTime(std::chrono::milliseconds(ms));
}

api::CatalogModel model(std::string id) {
    api::CatalogModel out;
    out.id = std::move(id);
    return out;
}

TEST(CatalogTable, APutCreatesAndThenReplaces) {
    CatalogTable table;
    EXPECT_TRUE(table.put(model("tiny"), at(1)));
    table.set_state("tiny", {"Retired", std::nullopt}, at(2));
    api::CatalogModel changed = model("tiny");
    changed.source_url = "http://10.0.0.9/tiny.gguf";
    changed.state = "Active";
    EXPECT_FALSE(table.put(changed, at(3)));
    const api::CatalogModel& entry = *table.find("tiny");
    EXPECT_EQ(entry.source_url, changed.source_url);
    EXPECT_EQ(entry.created_ms, 1);
    EXPECT_EQ(entry.updated_ms, 3);
    EXPECT_EQ(entry.state, api::kRetired) << "a state is set by a request of its own";
}

TEST(CatalogTable, WhatIsRemovedIsGone) {
    CatalogTable table;
    table.put(model("tiny"), at(1));
    EXPECT_TRUE(table.remove("tiny"));
    EXPECT_EQ(table.find("tiny"), nullptr);
    EXPECT_EQ(table.remove("tiny").error().code, Errc::not_found);
}

TEST(CatalogTable, RetiresAtOnceAndBack) {
    CatalogTable table;
    table.put(model("tiny"), at(1));
    table.set_state("tiny", {"Retired", std::nullopt}, at(2));
    EXPECT_EQ(table.retired_ids(at(2)), std::set<std::string>{"tiny"});
    table.set_state("tiny", {"Active", std::nullopt}, at(3));
    EXPECT_TRUE(table.retired_ids(at(1'000'000)).empty());
}

TEST(CatalogTable, RetiresWhenItsDeadlineHasPassed) {
    CatalogTable table;
    table.put(model("tiny"), at(1));
    table.set_state("tiny", {"Retired", 1000}, at(500));
    EXPECT_TRUE(table.retired_ids(at(1499)).empty());
    EXPECT_EQ(table.retired_ids(at(1500)).size(), 1U);
}

TEST(CatalogTable, AModelThatOnlyNodesKnewCanBeRetired) {
    CatalogTable table;
    table.set_state("loose", {"Retired", std::nullopt}, at(2));
    ASSERT_NE(table.find("loose"), nullptr);
    EXPECT_EQ(table.retired_ids(at(2)).count("loose"), 1U);
}

TEST(CatalogTable, SurvivesItsOwnText) {
    CatalogTable table;
    table.put(model("a"), at(1));
    table.put(model("b"), at(2));
    table.set_state("b", {"Retired", 1000}, at(3));
    table.note_verified("a", at(4));
    const auto again = CatalogTable::parse(table.text());
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(again->text(), table.text());
    EXPECT_EQ(again->find("a")->last_verified_ms, 4);
    EXPECT_EQ(again->retired_ids(at(1003)), std::set<std::string>{"b"});
}

TEST(CatalogTable, RefusesATextThatIsNotItsOwn) {
    EXPECT_FALSE(CatalogTable::parse("{"));
    EXPECT_FALSE(CatalogTable::parse(R"({"models":[{"id":"a"},{"id":"a"}]})"));
    EXPECT_FALSE(CatalogTable::parse(R"({"models":[{"id":"../a"}]})"));
}

TEST(CatalogTable, TellsWhenTheNextDeadlineIs) {
    CatalogTable table;
    EXPECT_FALSE(table.next_retirement(at(0)));
    table.set_state("a", {std::string(api::kRetired), 500}, at(1000));
    table.set_state("b", {std::string(api::kRetired), 200}, at(1000));
    table.set_state("c", {std::string(api::kRetired), {}}, at(1000));
    EXPECT_EQ(table.next_retirement(at(1000)), at(1200));
    EXPECT_EQ(table.next_retirement(at(1200)), at(1500));
    EXPECT_FALSE(table.next_retirement(at(1500)));
}

}  // namespace
}  // namespace orch::control::catalog
