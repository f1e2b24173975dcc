#include "api/node_views.hpp"
#include "loopback/control_ring.hpp"

#include <fmt/format.h>

#include <string>
#include <vector>

// Pools that are not loaded: requests have them loaded, and operators load and drain them.
namespace orch::loopback {
namespace {

constexpr std::string_view kAsk = R"({"model":"qwen","messages":[]})";
constexpr std::string_view kLoads = "orchd_pool_loads_total";

api::ReplicaReport replica(std::string_view state) {
    api::ReplicaReport report;
    report.replica_id = ReplicaId("r0");
    report.state = state;
    return report;
}

api::PoolReport pool_at_rest(Bytes need = kGiB) {
    api::PoolReport pool = ready_pool("chat", "qwen", 0);
    pool.ready = false;
    pool.loadable = true;
    pool.vram_need_bytes = need;
    pool.vram_free_bytes = 8 * kGiB;
    pool.vram_total_bytes = 24 * kGiB;
    pool.replicas = {replica(api::kReplicaStopped)};
    return pool;
}

// What a node says of a pool whose engine it has begun to start.
Script starts() {
    api::PoolStatus status;
    status.pool_id = PoolId("chat");
    status.replicas = {replica(api::kReplicaStarting)};
    return answer(api::to_json(status), 202);
}

Script refuses(std::string_view why) {
    Script script = answer(
        fmt::format(R"({{"error":{{"message":"{}","code":"POOL_UNAVAILABLE"}}}})", why), 503
    );
    script.origin = "node";
    return script;
}

struct ControlLoading : ControlRing {
    FakeNode& join_at_rest(std::string id, const api::PoolReport& pool = pool_at_rest()) {
        FakeNode& node = make_node(std::move(id));
        answer_polls(node, {pool});
        EXPECT_EQ(register_node(node).status, 200);
        EXPECT_EQ(beat(node, {pool}).status, 200);
        EXPECT_TRUE(eventually([&] {
            return ask("GET", "/v2/nodes/" + node.id()).body.contains(R"("reachable":true)");
        }));
        settle();
        return node;
    }

    void become_ready(FakeNode& node) {
        answer_polls(node, {ready_pool("chat", "qwen", 1)});
        EXPECT_EQ(beat(node, {ready_pool("chat", "qwen", 1)}).status, 200);
    }

    static std::vector<std::string> targets(const FakeNode& node) {
        std::vector<std::string> targets;
        for (const FakeNode::Seen& seen : node.seen()) {
            targets.push_back(seen.target);
        }
        return targets;
    }
};

TEST_F(ControlLoading, RequestsHaveAPoolLoadedOnceAndAreServedWhenItIsReady) {
    start();
    FakeNode& node = join_at_rest("gpu-1");
    node.play_next(starts());
    RawClient first = begin("POST", kChat, kAsk);
    ASSERT_TRUE(node.wait_seen(1));
    EXPECT_EQ(targets(node), (std::vector<std::string>{"/v2/pools/chat/preload"}));
    ASSERT_TRUE(eventually([&] {
        return ask("GET", "/v2/pools/chat").body.contains(R"("state":"starting")");
    })) << "what the node answered is known at once";
    RawClient second = begin("POST", kChat, kAsk);
    const std::string preview =
        ask("POST", "/v2/tasks/preview", R"({"model":"qwen","prompt":"p"})").body;
    EXPECT_TRUE(preview.contains(R"("code":null)")) << preview;
    EXPECT_TRUE(preview.contains("pool 'chat' of node 'gpu-1' is being loaded")) << preview;
    ASSERT_TRUE(wait_metric("queue_depth{model=\"qwen\",priority=\"interactive\"} 2"));
    become_ready(node);
    EXPECT_EQ(first.read_answer().status, 200);
    EXPECT_EQ(second.read_answer().status, 200);
    EXPECT_EQ(node.seen().size(), 3U) << "one load, two requests";
    EXPECT_TRUE(wait_metric(
        fmt::format(R"({}{{node_id="gpu-1",pool_id="chat",outcome="accepted"}} 1)", kLoads)
    ));
}

TEST_F(ControlLoading, ANodeThatRefusesIsFollowedByAnother) {
    start();
    FakeNode& full = join_at_rest("gpu-1");
    FakeNode& other = join_at_rest("gpu-2");
    full.play_next(refuses("3.1 GiB are free"));
    other.play_next(starts());
    RawClient request = begin("POST", kChat, kAsk);
    ASSERT_TRUE(full.wait_seen(1));
    ASSERT_TRUE(other.wait_seen(1));
    become_ready(other);
    EXPECT_EQ(request.read_answer().status, 200);
    EXPECT_TRUE(wait_metric(
        fmt::format(R"({}{{node_id="gpu-1",pool_id="chat",outcome="refused"}} 1)", kLoads)
    ));
}

TEST_F(ControlLoading, ARefusalEverywhereIsToldWithWhatTheNodeSays) {
    start();
    FakeNode& node = join_at_rest("gpu-1");
    node.play_next(refuses("3.1 GiB are free"));
    const Answer refused = chat(kAsk);
    EXPECT_EQ(code_of(refused), "MODEL_NOT_AVAILABLE");
    EXPECT_TRUE(refused.body.contains("node 'gpu-1': 3.1 GiB are free")) << refused.body;
    const Answer again = chat(kAsk);
    EXPECT_EQ(code_of(again), "MODEL_NOT_AVAILABLE");
    EXPECT_EQ(node.seen().size(), 1U) << "it is left alone for a while";
}

TEST_F(ControlLoading, NobodyAsksForALoadThatDoesNotFit) {
    start();
    FakeNode& node = join_at_rest("gpu-1", pool_at_rest(9 * kGiB));
    const Answer refused = chat(kAsk);
    EXPECT_EQ(code_of(refused), "POOL_UNAVAILABLE");
    EXPECT_TRUE(refused.body.contains("no pool has enough free VRAM to load the model"));
    EXPECT_TRUE(
        refused.body.contains("to load its model it needs 9.0 GiB VRAM, and 8.0 GiB are free")
    ) << refused.body;
    EXPECT_TRUE(node.seen().empty());
}

TEST_F(ControlLoading, ALoadThatFailsEndsTheWait) {
    start();
    FakeNode& node = join_at_rest("gpu-1");
    node.play_next(starts());
    RawClient request = begin("POST", kChat, kAsk);
    ASSERT_TRUE(node.wait_seen(1));
    api::PoolReport failed = pool_at_rest();
    failed.loadable = false;
    failed.replicas = {replica(api::kReplicaBroken)};
    failed.last_error = "the engine ended with status 1\nits log";
    answer_polls(node, {failed});
    ASSERT_EQ(beat(node, {failed}).status, 200);
    const Answer told = request.read_answer();
    EXPECT_EQ(code_of(told), "MODEL_NOT_AVAILABLE");
    EXPECT_TRUE(told.body.contains(
        "no pool is ready to serve the model 'qwen'; pool 'chat' of node 'gpu-1' is not ready: the "
        "engine ended with status 1\""
    )) << told.body;
}

TEST_F(ControlLoading, ATaskWaitsForALoadAsARequestDoes) {
    start();
    FakeNode& node = join_at_rest("gpu-1");
    node.play_next(starts());
    const Answer task = ask("POST", "/v2/tasks", R"({"model":"qwen","prompt":"p"})");
    EXPECT_EQ(task.status, 202) << task.body;
    ASSERT_TRUE(node.wait_seen(1));
    become_ready(node);
    EXPECT_TRUE(node.wait_seen(2));
}

TEST_F(ControlLoading, OperatorsPreloadAndDrainAPool) {
    start();
    FakeNode& node = join_at_rest("gpu-1");
    node.play_next(starts());
    const Answer loading = ask("POST", "/v2/nodes/gpu-1/pools/chat/preload");
    EXPECT_EQ(loading.status, 202);
    EXPECT_TRUE(loading.body.contains(R"("state":"starting")")) << loading.body;
    EXPECT_TRUE(loading.body.contains(R"("node_id":"gpu-1")")) << loading.body;

    api::PoolStatus drained;
    drained.pool_id = PoolId("chat");
    drained.draining = true;
    drained.replicas = {replica(api::kReplicaStopped)};
    node.play_next(answer(api::to_json(drained), 202));
    const Answer draining = ask("POST", "/v2/pools/chat/drain", R"({"deadline_ms":1500})");
    EXPECT_EQ(draining.status, 202);
    EXPECT_TRUE(draining.body.contains(R"("draining":true)")) << draining.body;
    ASSERT_EQ(node.seen().size(), 2U);
    EXPECT_EQ(node.seen()[1].target, "/v2/pools/chat/drain");
    EXPECT_EQ(node.seen()[1].body, R"({"deadline_ms":1500})");
    EXPECT_EQ(code_of(chat(kAsk)), "MODEL_NOT_AVAILABLE") << "drained: nobody loads it";
}

TEST_F(ControlLoading, AnOperatorReloadsAPool) {
    start();
    FakeNode& node = join("gpu-1", {ready_pool("chat", "qwen")});
    node.play_next(starts());
    constexpr std::string_view kNew = R"({"new_model_ref":"/m/b.gguf","drain_deadline_ms":1500})";
    const Answer reloading = ask("POST", "/v2/nodes/gpu-1/pools/chat/reload", kNew);
    EXPECT_EQ(reloading.status, 202);
    EXPECT_TRUE(reloading.body.contains(R"("state":"starting")")) << reloading.body;
    ASSERT_EQ(node.seen().size(), 1U);
    EXPECT_EQ(node.seen()[0].target, "/v2/pools/chat/reload");
    EXPECT_EQ(node.seen()[0].body, kNew);
    const Answer wrong = ask("POST", "/v2/pools/chat/reload", "{}");
    EXPECT_EQ(wrong.status, 400);
    EXPECT_TRUE(wrong.body.contains("new_model_ref: is missing")) << wrong.body;
}

TEST_F(ControlLoading, AnOperatorIsToldWhyAPoolIsNotChanged) {
    start();
    FakeNode& node = join_at_rest("gpu-1");
    EXPECT_EQ(ask("POST", "/v2/pools/none/preload").status, 404);
    EXPECT_EQ(ask("POST", "/v2/nodes/none/pools/chat/drain").status, 404);
    const Answer wrong = ask("POST", "/v2/pools/chat/drain", R"({"deadline_ms":"soon"})");
    EXPECT_EQ(wrong.status, 400);
    EXPECT_TRUE(wrong.body.contains("deadline_ms")) << wrong.body;
    node.play_next(refuses("3.1 GiB are free"));
    const Answer refused = ask("POST", "/v2/pools/chat/preload");
    EXPECT_EQ(refused.status, 503);
    EXPECT_TRUE(refused.body.contains("3.1 GiB are free")) << refused.body;
    join_at_rest("gpu-2");
    EXPECT_EQ(code_of(ask("POST", "/v2/pools/chat/preload")), "AMBIGUOUS_POOL");
    node.stop();
    EXPECT_EQ(code_of(ask("POST", "/v2/nodes/gpu-1/pools/chat/preload")), "NODE_UNAVAILABLE");
}

}  // namespace
}  // namespace orch::loopback
