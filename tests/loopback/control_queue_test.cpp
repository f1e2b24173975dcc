#include "loopback/control_ring.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace orch::loopback {
namespace {

constexpr std::string_view kAsk = R"({"model":"qwen"})";

// One node with one slot, which a request that waits at the node's gate can hold.
struct ControlQueue : ControlRing {
    void start_one() {
        start();
        node = &join("gpu-1", {ready_pool("chat", "qwen", 1)});
    }

    RawClient hold_the_slot() {
        Script held = answer("{}");
        held.gate_before = 0;
        node->play_next(held);
        RawClient holder = begin("POST", kChat, kAsk);
        EXPECT_TRUE(node->wait_seen(1));
        return holder;
    }

    bool wait_depth(std::size_t depth) {
        return wait_metric(
            fmt::format(R"(queue_depth{{model="qwen",priority="interactive"}} {})", depth)
        );
    }

    RawClient wait_in_line(std::string_view name, std::size_t depth_then) {
        RawClient client =
            begin("POST", kChat, fmt::format(R"({{"model":"qwen","n":"{}"}})", name));
        EXPECT_TRUE(wait_depth(depth_then));
        return client;
    }

    // Its node is at work on it, and every edge knows.
    void lose_engine() {
        api::PoolReport pool = ready_pool("chat", "qwen", 1);
        pool.ready = false;
        EXPECT_EQ(beat(*node, {pool}).status, 200);
        EXPECT_TRUE(wait_ready(0));
        settle();
    }

    FakeNode* node = nullptr;
};

TEST_F(ControlQueue, RequestsAreServedInTheOrderInWhichTheyCame) {
    start_one();
    RawClient holder = hold_the_slot();
    RawClient first = wait_in_line("first", 1);
    RawClient second = wait_in_line("second", 2);
    RawClient third = wait_in_line("third", 3);
    EXPECT_EQ(node->seen().size(), 1U);
    node->open_gate();
    for (RawClient* client : {&holder, &first, &second, &third}) {
        EXPECT_EQ(client->read_answer().status, 200);
    }
    const auto seen = node->seen();
    ASSERT_EQ(seen.size(), 4U);
    EXPECT_TRUE(seen[1].body.contains("first"));
    EXPECT_TRUE(seen[2].body.contains("second"));
    EXPECT_TRUE(seen[3].body.contains("third"));
    EXPECT_TRUE(wait_depth(0));
}

TEST_F(ControlQueue, AFullQueueTellsWhenToComeAgain) {
    config.admission.capacity = 1;
    start_one();
    RawClient holder = hold_the_slot();
    RawClient waiting = wait_in_line("waiting", 1);
    const Answer rejected = chat(kAsk);
    EXPECT_EQ(rejected.status, 429);
    EXPECT_EQ(code_of(rejected), "ADMISSION_REJECT");
    EXPECT_EQ(rejected.header("Retry-After"), "1");
    EXPECT_EQ(rejected.header("X-Backoff-Ms"), "1000");
    EXPECT_TRUE(rejected.body.contains(R"("type":"rate_limit_error")")) << rejected.body;
    node->open_gate();
    EXPECT_EQ(waiting.read_answer().status, 200);
}

TEST_F(ControlQueue, WhoWaitsTooLongIsRejected) {
    config.admission.queue_timeout = std::chrono::milliseconds(100);
    start_one();
    RawClient holder = hold_the_slot();
    const Answer late = chat(kAsk);
    EXPECT_EQ(late.status, 429);
    EXPECT_EQ(code_of(late), "ADMISSION_REJECT");
    EXPECT_EQ(late.header("Retry-After"), "1");
    EXPECT_TRUE(wait_depth(0));
}

TEST_F(ControlQueue, AClientThatLeavesTheQueueLeavesNoTrace) {
    start_one();
    RawClient holder = hold_the_slot();
    {
        RawClient impatient = wait_in_line("impatient", 1);
    }
    EXPECT_TRUE(wait_depth(0));
    RawClient patient = wait_in_line("patient", 1);
    node->open_gate();
    EXPECT_EQ(holder.read_answer().status, 200);
    EXPECT_EQ(patient.read_answer().status, 200);
    EXPECT_TRUE(wait_depth(0));
    EXPECT_EQ(chat(kAsk).status, 200) << "the slot is free";
    for (const FakeNode::Seen& seen : node->seen()) {
        EXPECT_FALSE(seen.body.contains("impatient"));
    }
}

TEST_F(ControlQueue, ANewNodeServesWhoeverWaits) {
    start_one();
    RawClient holder = hold_the_slot();
    RawClient waiting = wait_in_line("waiting", 1);
    FakeNode& other = join("gpu-2", {ready_pool("chat", "qwen", 1)});
    EXPECT_EQ(waiting.read_answer().status, 200);
    EXPECT_EQ(other.seen().size(), 1U);
}

TEST_F(ControlQueue, ARequestWaitsForAnEngineThatStartsAgain) {
    start_one();
    lose_engine();
    RawClient waiting = wait_in_line("waiting", 1);
    const std::string preview =
        ask("POST", "/v2/tasks/preview", R"({"model":"qwen","prompt":"p"})").body;
    EXPECT_TRUE(preview.contains(R"("code":null)")) << preview;
    EXPECT_TRUE(preview.contains(R"("queue_position":1)")) << preview;
    EXPECT_TRUE(preview.contains("no pool is ready to serve the model 'qwen'")) << preview;
    ASSERT_EQ(beat(*node, {ready_pool("chat", "qwen", 1)}).status, 200);
    EXPECT_EQ(waiting.read_answer().status, 200);
}

TEST_F(ControlQueue, ARequestIsToldWhenTheEngineDoesNotComeBack) {
    config.placement.return_wait = std::chrono::milliseconds(400);
    start_one();
    lose_engine();
    const Answer got = chat(kAsk);
    EXPECT_EQ(code_of(got), "MODEL_NOT_AVAILABLE");
    EXPECT_TRUE(got.body.contains("pool 'chat' of node 'gpu-1' is not ready")) << got.body;
}

TEST_F(ControlQueue, WhoLostItsEngineWaitsLongerForTheNextThanANewcomer) {
    config.placement.return_wait = std::chrono::milliseconds(400);
    start_one();
    Script dying = refusal(502, "WORKER_RESET");
    dying.gate_before = 0;
    node->play_next(dying);
    RawClient victim = begin("POST", kChat, kAsk);
    ASSERT_TRUE(node->wait_seen(1));
    lose_engine();
    node->open_gate();
    ASSERT_TRUE(wait_depth(1));
    EXPECT_EQ(code_of(chat(kAsk)), "MODEL_NOT_AVAILABLE");
    EXPECT_TRUE(wait_depth(1)) << "the victim still waits";
    ASSERT_EQ(beat(*node, {ready_pool("chat", "qwen", 1)}).status, 200);
    EXPECT_EQ(victim.read_answer().status, 200);
}

TEST_F(ControlQueue, APinnedWaiterDoesNotHoldUpTheOthers) {
    start_one();
    RawClient holder = hold_the_slot();
    RawClient pinned = begin("POST", kChat, kAsk, "X-Llorch-Node: gpu-1\r\n");
    EXPECT_TRUE(wait_depth(1));
    FakeNode& other = join("gpu-2", {ready_pool("chat", "qwen", 1)});
    EXPECT_EQ(chat(kAsk).status, 200);
    EXPECT_EQ(chat(kAsk).status, 200);
    EXPECT_EQ(other.seen().size(), 2U);
    EXPECT_TRUE(wait_depth(1));
    node->open_gate();
    EXPECT_EQ(pinned.read_answer().status, 200);
}

// Many clients on several edges, some of which leave: afterwards every slot must be free.
TEST_F(ControlQueue, SlotsAreExactAfterAStorm) {
    config.edge_threads = 3;
    config.admission.capacity = 1000;
    start();
    join("gpu-1", {ready_pool("chat", "qwen", 2)});
    join("gpu-2", {ready_pool("chat", "qwen", 1)});
    nodes[1]->play_next(refusal(502, "WORKER_RESET"));
    nodes[0]->play_next(refusal(503, "REPLICA_EXHAUSTED"));
    std::atomic<int> served{0};
    std::vector<std::thread> clients;
    for (int c = 0; c < 8; ++c) {
        clients.emplace_back([&, c] {
            for (int i = 0; i < 25; ++i) {
                RawClient client = begin("POST", kChat, kAsk);
                if ((i + c) % 5 != 0) {
                    served += client.read_answer().status == 200 ? 1 : 0;
                }
            }
        });
    }
    for (std::thread& client : clients) {
        client.join();
    }
    EXPECT_EQ(served, 160);
    EXPECT_TRUE(wait_metric(R"(queue_depth{model="qwen",priority="interactive"} 0)"));
    EXPECT_TRUE(wait_metric("orchd_admission_queue_depth 0\n"));
    EXPECT_TRUE(eventually([&] {
        const std::string pools = ask("GET", "/v2/pools").body;
        return pools.contains(R"("claimed":0)") && !pools.contains(R"("claimed":1)") &&
               !pools.contains(R"("claimed":2)");
    })) << ask("GET", "/v2/pools").body;
}

}  // namespace
}  // namespace orch::loopback
