#include "control/tasks/idempotency_table.hpp"

#include <gtest/gtest.h>

namespace orch::control::tasks {
namespace {

using std::chrono::hours;

constexpr Instant kStart{hours(1)};

TEST(IdempotencyTable, TheSameAgainGetsTheFirstAnswer) {
    IdempotencyTable table;
    EXPECT_EQ(*table.find("a", "f1", "Idempotency-Key", kStart), std::nullopt);
    table.remember("a", "f1", "answer", kStart);
    EXPECT_EQ(*table.find("a", "f1", "Idempotency-Key", kStart + hours(23)), "answer");
    EXPECT_EQ(*table.find("b", "f1", "Idempotency-Key", kStart), std::nullopt);
}

TEST(IdempotencyTable, AnotherBodyIsAConflictThatNamesWhat) {
    IdempotencyTable table;
    table.remember("a", "f1", "answer", kStart);
    const auto found = table.find("a", "f2", "task_id", kStart);
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, Errc::conflict);
    EXPECT_TRUE(found.error().message.starts_with("task_id: "));
}

TEST(IdempotencyTable, ForgetsAfterADay) {
    IdempotencyTable table;
    table.remember("a", "f1", "answer", kStart);
    EXPECT_EQ(*table.find("a", "f2", "task_id", kStart + hours(24)), std::nullopt);
    EXPECT_EQ(table.size(), 0U);
}

TEST(IdempotencyTable, TheOldestGoWhenThereAreTooMany) {
    IdempotencyTable table({.keep = hours(24), .entries = 2});
    for (const char* name : {"a", "b", "c"}) {
        table.remember(name, "f", name, kStart);
    }
    EXPECT_EQ(*table.find("a", "f", "", kStart), std::nullopt);
    EXPECT_EQ(*table.find("c", "f", "", kStart), "c");
    EXPECT_EQ(table.size(), 2U);
}

}  // namespace
}  // namespace orch::control::tasks
