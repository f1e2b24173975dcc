#include "base/strong_id.hpp"

#include <gtest/gtest.h>

#include <map>
#include <type_traits>
#include <unordered_map>

namespace orch {
namespace {

static_assert(!std::is_convertible_v<NodeId, PoolId>);
static_assert(!std::is_convertible_v<std::string, NodeId>);
static_assert(!std::is_constructible_v<NodeId, PoolId>);

TEST(StrongId, ComparesAndHashesByItsText) {
    const NodeId a("a");
    const NodeId b("b");
    EXPECT_LT(a, b);
    EXPECT_EQ(a, NodeId("a"));
    const std::unordered_map<NodeId, int> ages{{a, 1}, {b, 2}};
    EXPECT_EQ(ages.at(NodeId("b")), 2);
    EXPECT_TRUE(NodeId().empty());
}

TEST(PoolKey, TellsPoolsOfTwoNodesApart) {
    const PoolKey first{NodeId("n1"), PoolId("chat")};
    const PoolKey second{NodeId("n2"), PoolId("chat")};
    const PoolKey swapped{NodeId("chat"), PoolId("n1")};
    std::unordered_map<PoolKey, int> slots{{first, 1}, {second, 2}, {swapped, 3}};
    EXPECT_EQ(slots.size(), 3U);
    EXPECT_EQ(slots.at(PoolKey{NodeId("n1"), PoolId("chat")}), 1);
    EXPECT_LT(first, second);
}

TEST(ValidId, TakesLettersDigitsDotsDashesAndUnderscores) {
    EXPECT_TRUE(valid_id("a"));
    EXPECT_TRUE(valid_id("Node-1.example_x"));
    EXPECT_TRUE(valid_id(std::string(64, 'x')));
}

TEST(ValidId, RefusesEverythingElse) {
    EXPECT_FALSE(valid_id(""));
    EXPECT_FALSE(valid_id(std::string(65, 'x')));
    EXPECT_FALSE(valid_id("a b"));
    EXPECT_FALSE(valid_id("a/b"));
    EXPECT_FALSE(valid_id("a\n"));
    EXPECT_FALSE(valid_id("\xC3\xA9"));
    EXPECT_FALSE(valid_id(std::string_view("a\0b", 3)));
}

}  // namespace
}  // namespace orch
