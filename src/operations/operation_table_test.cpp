#include "operations/operation_table.hpp"

#include <gtest/gtest.h>

namespace orch::operations {
namespace {

WallTime at(std::int64_t ms) {
    return WallTime(std::chrono::milliseconds(ms));
}

struct OperationTableTest : testing::Test {
    Rng rng{1};
    OperationTable table{rng};
};

TEST_F(OperationTableTest, CountsProgressOfWhatRuns) {
    const std::string id = table.begin("model.stage", "tiny", at(1)).id;
    table.advance(id, 25, 100, at(2));
    const api::Operation* const operation = table.find(id);
    ASSERT_NE(operation, nullptr);
    EXPECT_EQ(operation->state, api::kRunning);
    EXPECT_DOUBLE_EQ(operation->progress, 0.25);
    EXPECT_EQ(operation->created_ms, 1);
    EXPECT_EQ(operation->updated_ms, 2);
    EXPECT_EQ(table.running(), 1U);
}

TEST_F(OperationTableTest, EndsOnce) {
    const std::string id = table.begin("model.stage", "tiny", at(1)).id;
    table.end(id, "the disk is full", at(3));
    table.end(id, "", at(4));
    table.advance(id, 1, 1, at(5));
    EXPECT_EQ(table.find(id)->state, api::kFailed);
    EXPECT_EQ(table.find(id)->error, "the disk is full");
    EXPECT_EQ(table.find(id)->updated_ms, 3);
    EXPECT_EQ(table.running(), 0U);
}

TEST_F(OperationTableTest, SuccessIsWholeProgress) {
    const std::string id = table.begin("model.verify", "tiny", at(1)).id;
    table.end(id, "", at(2));
    EXPECT_EQ(table.find(id)->state, api::kSucceeded);
    EXPECT_DOUBLE_EQ(table.find(id)->progress, 1);
    EXPECT_FALSE(table.find(id)->error.has_value());
}

TEST_F(OperationTableTest, AddsUpItsParts) {
    const std::string id = table.begin("model.stage", "tiny", at(1)).id;
    std::vector<api::OperationPart> parts(2);
    parts[0].bytes_done = 10;
    parts[0].bytes_total = 10;
    parts[1].bytes_total = 30;
    table.set_parts(id, parts, at(2));
    EXPECT_EQ(table.find(id)->bytes_total, 40U);
    EXPECT_DOUBLE_EQ(table.find(id)->progress, 0.25);
    EXPECT_EQ(table.find(id)->nodes.size(), 2U);
}

TEST_F(OperationTableTest, ListsTheNewestFirst) {
    table.begin("model.stage", "a", at(1));
    table.begin("model.stage", "b", at(1));
    const auto list = table.list();
    ASSERT_EQ(list.size(), 2U);
    EXPECT_EQ(list[0].target, "b");
}

TEST_F(OperationTableTest, ForgetsTheOldestThatEndedAndNoneThatRuns) {
    const std::string running = table.begin("model.stage", "tiny", at(0)).id;
    const std::string first = table.begin("model.stage", "tiny", at(1)).id;
    table.end(first, "", at(1));
    for (std::size_t i = 0; i < OperationTable::kRemembered; ++i) {
        const std::string id = table.begin("model.stage", "tiny", at(2)).id;
        table.end(id, "", at(2));
    }
    EXPECT_EQ(table.find(first), nullptr);
    EXPECT_NE(table.find(running), nullptr);
    EXPECT_EQ(table.list().size(), OperationTable::kRemembered + 1);
}

TEST_F(OperationTableTest, AnUnknownIdChangesNothing) {
    table.advance("op-x", 1, 2, at(1));
    table.end("op-x", "", at(1));
    EXPECT_EQ(table.find("op-x"), nullptr);
    EXPECT_TRUE(table.list().empty());
}

}  // namespace
}  // namespace orch::operations
