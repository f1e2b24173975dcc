#include "net/route_table.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace orch::net {
namespace {

struct RouteTableTest : testing::Test {
    RouteTable table;

    void add(Method method, std::string path) {
        Route route;
        route.method = method;
        route.path = std::move(path);
        table.add(std::move(route));
    }

    std::string found(Method method, std::string_view path) const {
        const RouteMatch match = table.match(method, path);
        return match.route != nullptr ? match.route->path : "none, allow " + match.allow;
    }

    std::string param(Method method, std::string_view path) const {
        const RouteMatch match = table.match(method, path);
        return match.params.empty() ? "none" : match.params.front().second;
    }

    void SetUp() override {
        add(Method::get, "/v2/nodes");
        add(Method::post, "/v2/nodes/register");
        add(Method::get, "/v2/nodes/{id}");
        add(Method::del, "/v2/nodes/{id}");
        add(Method::get, "/v2/nodes/{node}/pools/{pool}");
        add(Method::post, "/v2/pools/{id}/engine/{path...}");
        add(Method::get, "/");
    }
};

TEST_F(RouteTableTest, FindsExactPathsAndParameters) {
    EXPECT_EQ(found(Method::get, "/v2/nodes"), "/v2/nodes");
    EXPECT_EQ(found(Method::get, "/"), "/");
    EXPECT_EQ(found(Method::del, "/v2/nodes/n1"), "/v2/nodes/{id}");
    const RouteMatch match = table.match(Method::get, "/v2/nodes/n1/pools/chat");
    const std::vector<std::pair<std::string, std::string>> expected{
        {"node", "n1"}, {"pool", "chat"}
    };
    EXPECT_EQ(match.params, expected);
}

TEST_F(RouteTableTest, ATailParameterTakesTheRestWithItsSlashes) {
    const RouteMatch match = table.match(Method::post, "/v2/pools/p/engine/v1/chat/completions");
    ASSERT_NE(match.route, nullptr);
    EXPECT_EQ(
        match.params.at(1), (std::pair<std::string, std::string>("path", "v1/chat/completions"))
    );
    EXPECT_EQ(found(Method::post, "/v2/pools/p/engine/"), "none, allow ");
    EXPECT_EQ(found(Method::post, "/v2/pools/p/engine"), "none, allow ");
}

TEST_F(RouteTableTest, ParametersAreDecodedAfterThePathIsCut) {
    EXPECT_EQ(param(Method::get, "/v2/nodes/a%20b"), "a b");
    EXPECT_EQ(param(Method::get, "/v2/nodes/a%2Fpools%2Fb"), "a/pools/b");
    EXPECT_EQ(found(Method::get, "/v2/nodes/a%2Fpools%2Fb"), "/v2/nodes/{id}");
    EXPECT_EQ(found(Method::get, "/v2/nodes/a%zz"), "none, allow ");
    EXPECT_EQ(found(Method::get, "/v2/nodes/a%00"), "none, allow ");
}

TEST_F(RouteTableTest, AnUnknownPathAllowsNothing) {
    for (const char* path :
         {"/v2",
          "/v2/",
          "/v2/nodes/",
          "/v2/nodes//",
          "/v2/nodes/n1/",
          "/v2/nodes/n1/pools",
          "",
          "*",
          "v2/nodes",
          "//v2/nodes",
          "/v2/nodes/n1/pools/p/x"}) {
        EXPECT_EQ(found(Method::get, path), "none, allow ") << path;
    }
}

TEST_F(RouteTableTest, AWrongVerbIsToldWhatIsAllowed) {
    EXPECT_EQ(found(Method::post, "/v2/nodes"), "none, allow GET, HEAD");
    EXPECT_EQ(found(Method::put, "/v2/nodes/n1"), "none, allow GET, HEAD, DELETE");
    EXPECT_EQ(found(Method::other, "/v2/nodes/register"), "none, allow POST, GET, HEAD, DELETE");
}

TEST_F(RouteTableTest, HeadIsServedByGet) {
    EXPECT_EQ(found(Method::head, "/v2/nodes"), "/v2/nodes");
    EXPECT_EQ(found(Method::head, "/v2/nodes/n1"), "/v2/nodes/{id}");
    EXPECT_EQ(found(Method::head, "/v2/pools/p/engine/x"), "none, allow POST");
}

TEST_F(RouteTableTest, AFixedPathDoesNotHideTheVerbsOfAParameter) {
    EXPECT_EQ(found(Method::post, "/v2/nodes/register"), "/v2/nodes/register");
    EXPECT_EQ(found(Method::del, "/v2/nodes/register"), "/v2/nodes/{id}");
    EXPECT_EQ(table.match(Method::del, "/v2/nodes/register").allow, "");
}

}  // namespace
}  // namespace orch::net
