#include "api/task_views.hpp"
#include "base/rng.hpp"
#include "loopback/control_ring.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <thread>

namespace orch::loopback {
namespace {

constexpr std::string_view kToken = "data: {\"choices\":[{\"index\":0,\"text\":\"t\"}]}\n\n";
constexpr std::string_view kDone = "data: [DONE]\n\n";
constexpr int kClients = 6;
constexpr int kTasksPerClient = 20;

std::size_t count(std::string_view text, std::string_view what) {
    std::size_t found = 0;
    for (std::size_t at = text.find(what); at != std::string_view::npos;
         at = text.find(what, at + 1)) {
        ++found;
    }
    return found;
}

Script good() {
    return stream({std::string(kToken), std::string(kToken), std::string(kDone)});
}

Script cut(std::size_t before) {
    Script script = good();
    script.cut_before = before;
    return script;
}

struct ControlTasksStorm : ControlRing {
    // Hands in tasks, cancels some at once, some later; returns all ids.
    std::vector<std::string> act(std::uint64_t seed) {
        Rng rng(seed);
        std::vector<std::string> ids;
        for (int i = 0; i < kTasksPerClient; ++i) {
            const Answer got =
                ask("POST",
                    "/v2/tasks",
                    rng.below(4) == 0 ? R"({"model":"qwen","prompt":"p","deadline_ms":200})"
                                      : R"({"model":"qwen","prompt":"p"})");
            EXPECT_EQ(got.status, 202) << got.body;
            ids.push_back(api::from_json<api::TaskAccepted>(got.body)->task_id);
            if (rng.below(3) == 0) {
                const std::string& victim = ids[rng.below(ids.size())];
                EXPECT_EQ(ask("POST", "/v2/tasks/" + victim + "/cancel").status, 204);
            }
        }
        return ids;
    }
};

// Whatever happens to them, each task ends in exactly one way and gives its slot back.
TEST_F(ControlTasksStorm, EveryTaskHasExactlyOneEnd) {
    config.edge_threads = 3;
    config.admission.capacity = 1000;
    config.gateway.failed_for = std::chrono::milliseconds(50);
    start();
    FakeNode& sound = join("gpu-1", {ready_pool("chat", "qwen", 2)});
    FakeNode& sick = join("gpu-2", {ready_pool("chat", "qwen", 2)});
    answer_polls(sound, {ready_pool("chat", "qwen", 2)});
    answer_polls(sick, {ready_pool("chat", "qwen", 2)});
    sound.play(good());
    sick.play(good());
    for (int i = 0; i < 10; ++i) {
        sick.play_next(cut(0));
        sick.play_next(refusal(503, "REPLICA_EXHAUSTED"));
        sick.play_next(cut(1));
        sick.play_next(refusal(502, "WORKER_RESET"));
        sound.play_next(good());
        sound.play_next(cut(1));
    }
    std::vector<std::vector<std::string>> ids(kClients);
    std::vector<std::thread> clients;
    for (int c = 0; c < kClients; ++c) {
        clients.emplace_back([this, c, &ids] {
            ids[static_cast<std::size_t>(c)] = act(static_cast<std::uint64_t>(c));
        });
    }
    for (std::thread& client : clients) {
        client.join();
    }
    std::map<std::string, int> states;
    for (const auto& of_client : ids) {
        for (const std::string& id : of_client) {
            const std::string events = ask("GET", "/v2/tasks/" + id + "/events").body;
            const std::size_t ends =
                count(events, "event: end\n") + count(events, "event: error\n");
            EXPECT_EQ(ends, 1U) << events;
            EXPECT_LE(count(events, "event: started\n"), 1U) << events;
            const auto task = api::from_json<api::TaskView>(ask("GET", "/v2/tasks/" + id).body);
            ASSERT_TRUE(task);
            ++states[task->state];
            EXPECT_EQ(task->state == "failed", events.contains("event: error\n")) << task->state;
            EXPECT_EQ(task->state == "canceled", events.contains(R"("canceled":true)"));
            EXPECT_EQ(task->output.size(), count(events, "event: token\n"));
        }
    }
    EXPECT_EQ(states["queued"] + states["running"], 0);
    EXPECT_GT(states["done"], 0);
    EXPECT_GT(states["failed"], 0);
    EXPECT_TRUE(eventually([&] {
        const std::string pools = ask("GET", "/v2/pools").body;
        return count(pools, R"("claimed":0)") == 2;
    })) << ask("GET", "/v2/pools").body;
    EXPECT_TRUE(metrics().contains(R"(queue_depth{model="qwen",priority="interactive"} 0)"));
}

// Tasks that nobody can serve any more, while the control plane stops, keep nothing from ending.
TEST_F(ControlTasksStorm, StoppingWithTasksInEveryStateEnds) {
    config.edge_threads = 2;
    start();
    FakeNode& node = join("gpu-1", {ready_pool("chat", "qwen", 1)});
    Script held = good();
    held.gate_before = 1;
    node.play(held);
    std::vector<RawClient> watchers;
    for (int i = 0; i < 4; ++i) {
        const Answer got = ask("POST", "/v2/tasks", R"({"model":"qwen","prompt":"p"})");
        const std::string id = api::from_json<api::TaskAccepted>(got.body)->task_id;
        watchers.push_back(begin("GET", "/v2/tasks/" + id + "/events"));
    }
    ASSERT_TRUE(node.wait_seen(1));
    ASSERT_TRUE(watchers[0].socket().receive_until("event: token"));
    stop(Duration::zero());
}

}  // namespace
}  // namespace orch::loopback
