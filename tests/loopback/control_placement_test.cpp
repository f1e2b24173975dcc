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

TEST_F(ControlHints, OnlyPoolsThatCarryTheLabelsAskedFor) {
    start();
    for (const char* zone : {"x", "y"}) {
        api::PoolReport pool = ready_pool("p", "qwen");
        pool.labels = {{"zone", zone}};
        join(zone, {pool});
    }
    EXPECT_EQ(placed("X-Llorch-Labels: zone=x\r\n"), "x/p");
    EXPECT_EQ(placed("X-Llorch-Labels: zone=y\r\n"), "y/p");
    EXPECT_EQ(placed("X-Llorch-Labels: zone=y, node_id=y\r\n"), "y/p");
    const Answer nowhere = chat(kAsk, "X-Llorch-Labels: zone=z\r\n");
    EXPECT_EQ(code_of(nowhere), "POOL_UNAVAILABLE");
    EXPECT_TRUE(nowhere.body.contains("its label zone is 'x', not 'z'")) << nowhere.body;
    EXPECT_EQ(code_of(chat(kAsk, "X-Llorch-Labels: zone\r\n")), "INVALID_PARAMS");
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

TEST_F(ControlHints, ASessionStaysAtItsPoolWhileThatHasAFreeSlot) {
    start();
    for (const char* id : {"a", "b", "c"}) {
        api::PoolReport one_slot = ready_pool("p", "qwen");
        one_slot.slots_total = one_slot.slots_free = 1;
        join(id, {one_slot});
    }
    const std::string_view session = "X-Session-Id: of a client\r\n";
    const std::string home = placed(session);
    for (int i = 0; i < 6; ++i) {
        EXPECT_EQ(placed(session), home);
    }
    FakeNode& node = *nodes.at(static_cast<std::size_t>(home[0] - 'a'));
    Script slow = answer("{}");
    slow.gate_before = 0;
    node.play_next(slow);
    RawClient first = begin("POST", kChat, kAsk, session);
    ASSERT_TRUE(eventually([&] { return node.seen().size() == 8; }));
    const std::string second = placed(session);
    EXPECT_NE(second, home) << "a full pool yields";
    EXPECT_EQ(placed(session), second) << "to the same one each time";
    node.open_gate();
    EXPECT_EQ(first.read_answer().status, 200);
    EXPECT_EQ(placed(session), home);
}

TEST_F(ControlHints, WorkIsSpreadOverTheValuesOfALabel) {
    config.placement.spread_by = "zone";
    config.edge_threads = 1;
    start();
    const auto in_zone = [](const char* zone) {
        api::PoolReport pool = ready_pool("p", "qwen");
        pool.labels = {{"zone", zone}};
        return pool;
    };
    FakeNode& first = join("a", {in_zone("x")});
    join("b", {in_zone("x")});
    join("c", {in_zone("y")});
    Script slow = answer("{}");
    slow.gate_before = 0;
    first.play_next(slow);
    RawClient busy = begin("POST", kChat, kAsk, "X-Llorch-Node: a\r\n");
    ASSERT_TRUE(eventually([&] { return first.seen().size() == 1; }));
    for (int i = 0; i < 4; ++i) {
        EXPECT_EQ(placed(""), "c/p") << "zone x has work, b has none";
    }
    first.open_gate();
    EXPECT_EQ(busy.read_answer().status, 200);
}

TEST_F(ControlHints, DecisionsAreCountedByOutcomeAndNode) {
    start_three();
    placed("X-Llorch-Node: a\r\n");
    placed("X-Llorch-Node: z\r\nX-Llorch-Avoid: node:b\r\nX-Llorch-Fallback: true\r\n");
    placed("X-Llorch-Avoid: node:b\r\n");
    chat(kAsk, "X-Llorch-Avoid: node:a, node:b\r\n");
    chat(kAsk, "X-Llorch-Node: z\r\n");
    const std::string decisions = "placement_decisions_total{outcome=";
    for (const char* series :
         {R"("assigned",pinned="true",fallback="false",node_id="a"} 1)",
          R"("assigned",pinned="true",fallback="true",node_id="a"} 1)",
          R"("assigned",pinned="false",fallback="false",node_id="a"} 1)",
          R"("no_capacity",pinned="false",fallback="false",node_id=""} 1)",
          R"("no_capacity",pinned="true",fallback="false",node_id=""} 1)"}) {
        EXPECT_TRUE(wait_metric(decisions + series)) << series << " in " << metrics();
    }
    EXPECT_TRUE(wait_metric("\nplacement_candidates_considered 3\n"));
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
