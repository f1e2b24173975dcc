#include "loopback/control_ring.hpp"

#include <gtest/gtest.h>

namespace orch::loopback {
namespace {

constexpr std::string_view kAsk = R"({"model":"qwen"})";

struct ControlPlacement : ControlRing {
    ControlPlacement() {
        // Past the warm-up at once, in which an unknown model may only be late.
        config.registry.node_timeout = std::chrono::milliseconds(1);
    }

    std::string place_of(const Answer& got) {
        return got.header("X-Llorch-Node") + "/" + got.header("X-Llorch-Pool");
    }

    std::string placed(std::string_view headers) { return place_of(chat(kAsk, headers)); }
};

struct ControlHints : ControlPlacement {
    ControlHints() { config.registry.node_timeout = std::chrono::seconds(30); }

    void start_three() {
        start();
        join("a", {ready_pool("p", "qwen")});
        join("b", {ready_pool("p", "qwen"), ready_pool("q", "qwen")});
    }
};

TEST_F(ControlHints, PinsArePlacesAndNothingElse) {
    start_three();
    EXPECT_EQ(placed("X-Llorch-Node: a\r\n"), "a/p");
    EXPECT_EQ(placed("X-Llorch-Pool: q\r\n"), "b/q");
    EXPECT_EQ(placed("X-Llorch-Node: b\r\nX-Llorch-Pool: p\r\n"), "b/p");
    const Answer unknown = chat(kAsk, "X-Llorch-Node: c\r\n");
    EXPECT_EQ(unknown.status, 503);
    EXPECT_EQ(code_of(unknown), "NODE_UNAVAILABLE");
    EXPECT_EQ(unknown.header("Retry-After"), "1");
    EXPECT_EQ(code_of(chat(kAsk, "X-Llorch-Pool: r\r\n")), "NODE_UNAVAILABLE");
    EXPECT_EQ(chat(kAsk, "X-Llorch-Node: c\r\nX-Llorch-Fallback: true\r\n").status, 200);
}

TEST_F(ControlHints, PreferredAndAvoidedPlaces) {
    start_three();
    EXPECT_EQ(placed("X-Llorch-Prefer: pool:q\r\n"), "b/q");
    EXPECT_EQ(placed("X-Llorch-Avoid: node:b\r\n"), "a/p");
    EXPECT_EQ(placed("X-Llorch-Avoid: node:a, pool:p\r\n"), "b/q");
    EXPECT_EQ(
        placed("X-Llorch-Prefer: node:z\r\nX-Llorch-Avoid: node:b\r\n"
               "X-Llorch-Fallback: true\r\n"),
        "a/p"
    );
    const Answer avoided = chat(kAsk, "X-Llorch-Avoid: node:a, node:b\r\n");
    EXPECT_EQ(code_of(avoided), "POOL_UNAVAILABLE");
    EXPECT_TRUE(avoided.body.contains(
        R"({"node_id":"a","pool_id":"p","reasons":["avoided by the request"]})"
    )) << avoided.body;
    EXPECT_EQ(code_of(chat(kAsk, "X-Llorch-Prefer: node:z\r\n")), "POOL_UNAVAILABLE");
}

TEST_F(ControlHints, WithoutAModelAnyReadyChatPoolServes) {
    start();
    api::PoolReport embedding = ready_pool("e", "bge");
    embedding.kind = ModelKind::embedding;
    join("a", {embedding});
    for (const char* body : {R"({})", R"({"model":null})", R"({"model":""})"}) {
        EXPECT_EQ(code_of(chat(body)), "POOL_UNAVAILABLE") << body;
    }
    join("b", {ready_pool("p", "qwen")});
    for (const char* body : {R"({})", R"({"model":null})", R"({"model":""})"}) {
        EXPECT_EQ(place_of(chat(body)), "b/p") << body;
    }
    EXPECT_EQ(log.count("a request names no model"), 6U);
    EXPECT_EQ(nodes[1]->seen().at(1).body, R"({"model":null})") << "forwarded as it came";
}

TEST_F(ControlHints, AKnownModelWithoutAReadyPoolIsNotAvailable) {
    start();
    api::PoolReport loading = ready_pool("p", "qwen");
    loading.ready = false;
    join("a", {loading});
    const Answer got = chat(kAsk);
    EXPECT_EQ(got.status, 503);
    EXPECT_EQ(code_of(got), "MODEL_NOT_AVAILABLE");
    EXPECT_EQ(got.header("Retry-After"), "1");
    EXPECT_EQ(got.header("X-Backoff-Ms"), "1000");
    EXPECT_TRUE(got.body.contains(R"("param":"model")")) << got.body;
    EXPECT_TRUE(got.body.contains("pool 'p' of node 'a' is not ready")) << got.body;
    EXPECT_EQ(code_of(chat(kAsk, "X-Llorch-Pool: p\r\n")), "POOL_UNREADY");
}

TEST_F(ControlHints, AnUnknownModelMayOnlyBeLateWhileTheClusterWarmsUp) {
    start();
    EXPECT_EQ(code_of(chat(kAsk)), "MODEL_NOT_AVAILABLE");
}

TEST_F(ControlPlacement, AModelThatNobodyListsIsNotFound) {
    start();
    EXPECT_TRUE(eventually([&] { return code_of(chat(kAsk)) == "MODEL_NOT_FOUND"; }));
    const Answer got = chat(kAsk);
    EXPECT_EQ(got.status, 404);
    EXPECT_TRUE(got.body.contains(R"("type":"invalid_request_error")"));
    EXPECT_TRUE(got.body.contains(R"("retriable":false)"));
    EXPECT_EQ(got.header("Retry-After"), "");
    EXPECT_GT(log.count("a request names a model that no pool serves"), 0U);
}

}  // namespace
}  // namespace orch::loopback
