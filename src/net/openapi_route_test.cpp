#include "net/openapi_route.hpp"

#include "base/json.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>

namespace orch::net {
namespace {

namespace bj = json::bj;

struct OpenApiRoute : testing::Test {
    RouteTable table;

    void add(Method method, std::string path, auth::AuthClass auth, std::string example = "") {
        Route route;
        route.method = method;
        route.path = std::move(path);
        route.auth = auth;
        route.summary = "What it does";
        route.example = std::move(example);
        table.add(std::move(route));
    }

    void SetUp() override {
        using auth::AuthClass;
        add(Method::get, "/health", AuthClass::exempt);
        add(Method::get, "/v1/models/{model...}", AuthClass::client);
        add(Method::post, "/v2/nodes/static", AuthClass::cluster, R"({"url":"http://h:1"})");
        add(Method::get, "/v2/nodes/{id}", AuthClass::cluster);
        add(Method::del, "/v2/nodes/{id}", AuthClass::cluster);
        add(Method::get, "/v2/nodes/{node}/pools/{pool}", AuthClass::cluster);
        add_openapi_route(table, {"a daemon", "for a test"});
    }

    bj::object document() const {
        const std::string text = api::make_openapi({"a", "b"}, describe_routes(table));
        return json::parse(text).value().as_object();
    }

    static std::string upper(std::string_view text) {
        std::string out(text);
        std::ranges::transform(out, out.begin(), [](unsigned char c) { return std::toupper(c); });
        return out;
    }
};

TEST_F(OpenApiRoute, EveryRouteIsInTheDocument) {
    const bj::object paths = document().at("paths").as_object();
    std::size_t operations = 0;
    for (const auto& path : paths) {
        operations += path.value().as_object().size();
    }
    EXPECT_EQ(operations, table.routes().size());
    EXPECT_TRUE(paths.at("/v2/nodes/{id}").as_object().contains("delete"));
    EXPECT_TRUE(paths.at("/v1/models/{model}").as_object().contains("get"));
    EXPECT_TRUE(paths.contains("/openapi.json"));
}

TEST_F(OpenApiRoute, EverythingInTheDocumentIsRouted) {
    for (const auto& path : document().at("paths").as_object()) {
        for (const auto& operation : path.value().as_object()) {
            const std::string method = upper(operation.key());
            const auto route = std::ranges::find_if(table.routes(), [&](const Route& one) {
                return to_string(one.method) == method &&
                       table.match(one.method, std::string(path.key())).route == &one;
            });
            EXPECT_NE(route, table.routes().end()) << method << ' ' << path.key();
        }
    }
}

TEST_F(OpenApiRoute, ParametersAreThoseOfThePath) {
    const bj::object paths = document().at("paths").as_object();
    const bj::array& two =
        paths.at("/v2/nodes/{node}/pools/{pool}").at("get").at("parameters").as_array();
    ASSERT_EQ(two.size(), 2U);
    EXPECT_EQ(two[0].at("name").as_string(), "node");
    EXPECT_EQ(two[1].at("name").as_string(), "pool");
    EXPECT_TRUE(two[1].at("required").as_bool());
    EXPECT_EQ(
        paths.at("/v1/models/{model}").at("get").at("parameters").at(0).at("name").as_string(),
        "model"
    );
}

TEST_F(OpenApiRoute, ExemptRoutesNeedNoToken) {
    const bj::object paths = document().at("paths").as_object();
    EXPECT_TRUE(paths.at("/health").at("get").at("security").as_array().empty());
    EXPECT_TRUE(paths.at("/openapi.json").at("get").at("security").as_array().empty());
    EXPECT_EQ(paths.at("/v2/nodes/{id}").at("get").at("security").as_array().size(), 1U);
    EXPECT_EQ(paths.at("/v2/nodes/{id}").at("get").at("x-llorch-auth").as_string(), "cluster");
}

TEST_F(OpenApiRoute, TheExampleIsTheRoutes) {
    const bj::object paths = document().at("paths").as_object();
    const bj::value& media = paths.at("/v2/nodes/static")
                                 .at("post")
                                 .at("requestBody")
                                 .at("content")
                                 .at("application/json");
    EXPECT_EQ(json::serialize(media.at("example")), R"({"url":"http://h:1"})");
    EXPECT_FALSE(paths.at("/health").at("get").as_object().contains("requestBody"));
}

TEST_F(OpenApiRoute, AllErrorCodesAreListed) {
    const bj::object all = document();
    const bj::array& codes = all.at("components")
                                 .at("schemas")
                                 .at("Error")
                                 .at("properties")
                                 .at("error")
                                 .at("properties")
                                 .at("code")
                                 .at("enum")
                                 .as_array();
    EXPECT_EQ(codes.front().as_string(), "INVALID_PARAMS");
    EXPECT_EQ(codes.back().as_string(), "INTERNAL");
    EXPECT_EQ(codes.size(), static_cast<std::size_t>(Errc::internal) + 1);
}

}  // namespace
}  // namespace orch::net
