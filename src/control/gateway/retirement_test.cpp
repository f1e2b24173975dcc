#include "control/gateway/retirement.hpp"

#include "control/gateway/cluster_fixture.hpp"

#include <gtest/gtest.h>

namespace orch::control::gateway {
namespace {

view::PoolBlock pool(const char* node, std::vector<std::string> models) {
    return pool_block(key_of(node), std::move(models), std::make_shared<LoadCell>(1U));
}

// "old" and "new" answer to one alias; "old" has one of its own.
view::ClusterViewPtr cluster() {
    return view_of(
        {node_block("a", {pool("a", {"old", "any", "mine"})}),
         node_block("b", {pool("b", {"new", "any"})})}
    );
}

Result<void> ask(
    const view::RetiredModels& retired, placement::PlacementRequest& request, const char* model
) {
    request.model = model;
    return leave_out_retired(*cluster(), retired, request);
}

TEST(Retirement, ARetiredNameIsRefused) {
    placement::PlacementRequest request;
    const auto refused = ask({"old"}, request, "old");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::model_deprecated);
    EXPECT_EQ(refused.error().message, "model: 'old' is retired");
    EXPECT_TRUE(ask({"old"}, request, "new"));
}

TEST(Retirement, ANameThatNoPoolListsIsRefusedToo) {
    placement::PlacementRequest request;
    EXPECT_FALSE(ask({"gone"}, request, "gone"));
}

TEST(Retirement, AnAliasOfARetiredModelIsRefused) {
    placement::PlacementRequest request;
    const auto refused = ask({"old"}, request, "mine");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message, "model: what 'mine' stands for is retired");
}

TEST(Retirement, AnAliasOfTwoModelsGoesToTheOneThatIsLeft) {
    placement::PlacementRequest request;
    EXPECT_TRUE(ask({"old"}, request, "any"));
    ASSERT_EQ(request.avoid.size(), 1U);
    EXPECT_TRUE(request.avoid.front().matches(key_of("a")));
    EXPECT_FALSE(request.avoid.front().matches(key_of("b")));
}

TEST(Retirement, ARetiredAliasLeavesTheModelsBehindIt) {
    placement::PlacementRequest request;
    EXPECT_FALSE(ask({"any"}, request, "any"));
    EXPECT_TRUE(ask({"any"}, request, "old"));
    EXPECT_TRUE(request.avoid.empty());
}

TEST(Retirement, ARequestWithoutAModelGoesToWhatIsLeft) {
    placement::PlacementRequest request;
    EXPECT_TRUE(ask({"old"}, request, ""));
    EXPECT_EQ(request.avoid.size(), 1U);
    placement::PlacementRequest none;
    const auto refused = ask({"old", "new"}, none, "");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message, "model: every chat model is retired");
}

TEST(Retirement, AnUnknownModelIsNotItsBusiness) {
    placement::PlacementRequest request;
    EXPECT_TRUE(ask({"old"}, request, "unknown"));
}

}  // namespace
}  // namespace orch::control::gateway
