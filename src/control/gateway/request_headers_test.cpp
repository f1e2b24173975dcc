#include "control/gateway/request_headers.hpp"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <utility>

namespace orch::control::gateway {
namespace {

net::Headers headers(std::initializer_list<std::pair<const char*, const char*>> fields) {
    net::Headers made;
    for (const auto& [name, value] : fields) {
        made.add(name, value);
    }
    return made;
}

TEST(RequestHeaders, NoHintsMeanNoWishes) {
    const auto request = read_hints(headers({{"Content-Type", "application/json"}}));
    ASSERT_TRUE(request);
    EXPECT_FALSE(request->model || request->pin_node || request->pin_pool || request->fallback);
    EXPECT_TRUE(request->prefer.empty() && request->avoid.empty());
}

TEST(RequestHeaders, HintsAreReadWhateverTheirCase) {
    const auto request = read_hints(headers(
        {{"x-llorch-node", "gpu-1"},
         {"X-LLORCH-POOL", "chat"},
         {"X-Llorch-Prefer", "node:a, pool:b"},
         {"X-Llorch-Avoid", "node:c"},
         {"X-Llorch-Labels", "zone=a, tier="},
         {"X-Llorch-Fallback", "true"},
         {"X-Session-Id", "chat 7"}}
    ));
    ASSERT_TRUE(request);
    EXPECT_EQ(request->pin_node, NodeId("gpu-1"));
    EXPECT_EQ(request->pin_pool, PoolId("chat"));
    ASSERT_EQ(request->prefer.size(), 2U);
    EXPECT_EQ(request->prefer[1].pool, PoolId("b"));
    EXPECT_EQ(request->avoid.at(0).node, NodeId("c"));
    EXPECT_EQ(request->labels, (view::Labels{{"tier", ""}, {"zone", "a"}}));
    EXPECT_TRUE(request->fallback);
    EXPECT_EQ(request->session, "chat 7");
}

TEST(RequestHeaders, BadHintsAreRefusedByName) {
    const std::string endless(257, 's');
    const std::pair<const char*, const char*> bad[] = {
        {"X-Llorch-Node", "no spaces"},
        {"X-Llorch-Pool", ""},
        {"X-Llorch-Prefer", "gpu:1"},
        {"X-Llorch-Avoid", "node:"},
        {"X-Llorch-Labels", "zone"},
        {"X-Llorch-Fallback", "yes"},
        {"X-Session-Id", endless.c_str()},
    };
    for (const auto& [name, value] : bad) {
        const auto request = read_hints(headers({{name, value}}));
        ASSERT_FALSE(request) << name;
        EXPECT_EQ(request.error().code, Errc::invalid_params);
        EXPECT_TRUE(request.error().message.starts_with(name)) << request.error().message;
    }
}

TEST(RequestHeaders, TheClientGetsTheEnginesHeadersOnly) {
    const net::Headers passed = headers_for_client(headers(
        {{"Content-Type", "text/event-stream"},
         {"Content-Length", "12"},
         {"Connection", "keep-alive, X-Hop"},
         {"X-Hop", "1"},
         {"Transfer-Encoding", "chunked"},
         {"X-Llorch-Origin", "engine"},
         {"X-Llorch-Replica", "r0"},
         {"X-Correlation-Id", "of-the-node"},
         {"Access-Control-Allow-Origin", "*"},
         {"Server", "llama.cpp"}}
    ));
    ASSERT_EQ(passed.fields().size(), 2U);
    EXPECT_EQ(passed.find("Content-Type"), "text/event-stream");
    EXPECT_EQ(passed.find("Server"), "llama.cpp");
}

TEST(ReadPriority, IsInteractiveUnlessSaidOtherwise) {
    EXPECT_EQ(read_priority(headers({})), admission::Priority::interactive);
    EXPECT_EQ(read_priority(headers({{"X-Llorch-Priority", "batch"}})), admission::Priority::batch);
    const auto unknown = read_priority(headers({{"X-Llorch-Priority", "urgent"}}));
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().code, Errc::invalid_params);
    EXPECT_TRUE(unknown.error().message.starts_with("X-Llorch-Priority:"));
}

}  // namespace
}  // namespace orch::control::gateway
