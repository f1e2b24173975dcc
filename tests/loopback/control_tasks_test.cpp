#include "api/task_views.hpp"
#include "loopback/control_ring.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace orch::loopback {
namespace {

constexpr std::string_view kPrompt = R"({"model":"qwen","prompt":"p"})";
constexpr std::string_view kDone = "data: [DONE]\n\n";

std::string token(std::string_view text) {
    return fmt::format("data: {{\"choices\":[{{\"index\":0,\"text\":\"{}\"}}]}}\n\n", text);
}

std::string usage(int tokens) {
    return fmt::format(
        "data: {{\"choices\":[],\"usage\":{{\"prompt_tokens\":5,\"completion_tokens\":{}}},"
        "\"timings\":{{\"predicted_ms\":12.0}}}}\n\n",
        tokens
    );
}

struct Seen {
    std::string id;
    std::string name;
    std::string data;
};

// The events of a stream's text.
std::vector<Seen> events_of(std::string_view text) {
    std::vector<Seen> events;
    while (!text.empty()) {
        const std::size_t end = text.find("\n\n");
        std::string_view block = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 2);
        Seen seen;
        while (!block.empty()) {
            const std::size_t line_end = block.find('\n');
            const std::string_view line = block.substr(0, line_end);
            block.remove_prefix(line_end == std::string_view::npos ? block.size() : line_end + 1);
            for (const auto& [field, into] :
                 {std::pair{"id: ", &seen.id}, {"event: ", &seen.name}, {"data: ", &seen.data}}) {
                if (line.starts_with(field)) {
                    *into = line.substr(std::string_view(field).size());
                }
            }
        }
        if (!seen.name.empty()) {
            events.push_back(std::move(seen));
        }
    }
    return events;
}

std::string names_of(const std::vector<Seen>& events) {
    std::string names;
    for (const Seen& event : events) {
        names += (names.empty() ? "" : " ") + event.name;
    }
    return names;
}

struct ControlTasks : ControlRing {
    void start_one(std::uint32_t slots = 1) {
        start();
        node = &join("gpu-1", {ready_pool("chat", "qwen", slots)});
        node->play(stream({token("a"), token("b"), usage(2), std::string(kDone)}));
    }

    api::TaskAccepted submit(std::string_view body, std::string_view headers = "") {
        const Answer got = ask("POST", "/v2/tasks", body, headers);
        EXPECT_EQ(got.status, 202) << got.body;
        const auto accepted = api::from_json<api::TaskAccepted>(got.body);
        return accepted.value_or(api::TaskAccepted{});
    }

    api::TaskView task(const std::string& id) {
        const Answer got = ask("GET", "/v2/tasks/" + id);
        EXPECT_EQ(got.status, 200) << got.body;
        return api::from_json<api::TaskView>(got.body).value_or(api::TaskView{});
    }

    std::string events_path(const std::string& id) { return "/v2/tasks/" + id + "/events"; }

    std::vector<Seen> watch(const std::string& id, std::string_view headers = "") {
        const Answer got = ask("GET", events_path(id), "", headers);
        EXPECT_EQ(got.status, 200) << got.body;
        EXPECT_TRUE(got.complete);
        return events_of(got.body);
    }

    bool wait_state(const std::string& id, std::string_view state) {
        return eventually([&] { return task(id).state == state; });
    }

    // One whose answer stops before its piece number `piece` until the node's gate opens.
    std::string submit_held(std::size_t piece) {
        Script held = stream({token("a"), token("b"), usage(2), std::string(kDone)});
        held.gate_before = piece;
        const std::size_t before = node->seen().size();
        node->play_next(held);
        const std::string id = submit(kPrompt).task_id;
        EXPECT_TRUE(node->wait_seen(before + 1));
        return id;
    }

    bool slots_are_free() {
        return eventually([&] { return !ask("GET", "/v2/pools").body.contains(R"("claimed":1)"); });
    }

    FakeNode* node = nullptr;
};

TEST_F(ControlTasks, ATaskRunsWithoutAWatcherAndIsWatchedAfterwards) {
    start_one();
    const api::TaskAccepted accepted = submit(kPrompt);
    EXPECT_EQ(accepted.queue_position, 0U);
    EXPECT_EQ(accepted.predicted_start_ms, 0);
    EXPECT_EQ(accepted.streams.sse, events_path(accepted.task_id));
    EXPECT_EQ(accepted.streams.sse_verbose, events_path(accepted.task_id) + "?verbose=true");
    ASSERT_TRUE(wait_state(accepted.task_id, "done"));
    const api::TaskView view = task(accepted.task_id);
    EXPECT_EQ(view.output, "ab");
    EXPECT_EQ(view.tokens_out, 2U);
    EXPECT_EQ(view.attempts, 1U);
    EXPECT_EQ(view.node_id, NodeId("gpu-1"));
    EXPECT_TRUE(view.started_ms && view.ended_ms && !view.error);
    const auto events = watch(accepted.task_id);
    EXPECT_EQ(names_of(events), "started token token metrics end");
    EXPECT_EQ(events[0].data, R"({"node_id":"gpu-1","pool_id":"chat","attempt":1})");
    EXPECT_EQ(events[1].data, R"({"t":"a","i":0,"kind":"text"})");
    EXPECT_EQ(events[2].data, R"({"t":"b","i":1,"kind":"text"})");
    EXPECT_EQ(events[4].data, R"({"tokens_out":2,"decode_time_ms":12,"decode_ms":12})");
    ASSERT_EQ(node->seen().size(), 1U);
    EXPECT_EQ(node->seen()[0].target, "/v2/pools/chat/engine/v1/completions");
    EXPECT_TRUE(node->seen()[0].body.contains(R"("stream":true)"));
    EXPECT_TRUE(slots_are_free());
}

TEST_F(ControlTasks, MessagesAreAChat) {
    start_one();
    const auto accepted =
        submit(R"({"model_ref":"qwen","messages":[{"role":"user","content":"x"}]})");
    ASSERT_TRUE(wait_state(accepted.task_id, "done"));
    EXPECT_EQ(node->seen()[0].target, "/v2/pools/chat/engine/v1/chat/completions");
}

TEST_F(ControlTasks, InputsGiveAResult) {
    start_one();
    node->play(
        answer(R"({"object":"list","data":[{"embedding":[1,2]}],"usage":{"prompt_tokens":3}})")
    );
    const auto accepted = submit(R"({"model":"qwen","inputs":["x"]})");
    const auto events = watch(accepted.task_id);
    EXPECT_EQ(names_of(events), "started result metrics end");
    EXPECT_EQ(
        events[1].data,
        R"({"object":"list","data":[{"embedding":[1,2]}],"usage":{"prompt_tokens":3}})"
    );
    EXPECT_TRUE(ask("GET", "/v2/tasks/" + accepted.task_id).body.contains(R"("embedding":[1,2])"));
    EXPECT_EQ(node->seen()[0].target, "/v2/pools/chat/engine/v1/embeddings");
}

TEST_F(ControlTasks, WatchersSeeEventsAsTheyHappen) {
    config.edge_threads = 3;
    start_one();
    const std::string id = submit_held(1);
    RawClient first = begin("GET", events_path(id));
    RawClient second = begin("GET", events_path(id));
    EXPECT_TRUE(first.socket().receive_until(R"("t":"a")"));
    EXPECT_TRUE(second.socket().receive_until(R"("t":"a")"));
    EXPECT_EQ(task(id).state, "running");
    EXPECT_EQ(task(id).output, "a");
    node->open_gate();
    EXPECT_TRUE(first.socket().receive_until("event: end"));
    EXPECT_TRUE(second.socket().receive_until("event: end"));
}

TEST_F(ControlTasks, AWatcherGoesOnWhereItStopped) {
    start_one();
    const std::string id = submit(kPrompt).task_id;
    ASSERT_TRUE(wait_state(id, "done"));
    const auto all = watch(id);
    for (std::size_t seen = 0; seen <= all.size(); ++seen) {
        const std::string last = seen == 0 ? "0" : all[seen - 1].id;
        const auto rest = watch(id, fmt::format("Last-Event-ID: {}\r\n", last));
        ASSERT_EQ(rest.size(), all.size() - seen);
        for (std::size_t i = 0; i < rest.size(); ++i) {
            EXPECT_EQ(rest[i].id, all[seen + i].id);
            EXPECT_EQ(rest[i].data, all[seen + i].data);
        }
    }
    EXPECT_EQ(ask("GET", events_path(id), "", "Last-Event-ID: x\r\n").status, 400);
}

TEST_F(ControlTasks, VerboseStreamsTellWhereItRuns) {
    start_one();
    const std::string id = submit(kPrompt).task_id;
    const Answer got = ask("GET", events_path(id) + "?verbose=true");
    EXPECT_TRUE(got.body.contains("pool chat of node gpu-1 serves it")) << got.body;
}

TEST_F(ControlTasks, EventsThatAreNoLongerKeptAreNoSilence) {
    config.tasks.journal = 300;
    start_one();
    const std::string id = submit(kPrompt).task_id;
    ASSERT_TRUE(wait_state(id, "done"));
    const Answer got = ask("GET", events_path(id));
    EXPECT_EQ(got.status, 404);
    EXPECT_EQ(code_of(got), "NOT_FOUND");
    EXPECT_EQ(task(id).output, "ab") << "the task itself has it all";
}

TEST_F(ControlTasks, TasksWaitInTheQueueOfRequests) {
    start_one();
    const std::string held = submit_held(0);
    const api::TaskAccepted first = submit(kPrompt);
    const api::TaskAccepted second = submit(kPrompt);
    EXPECT_EQ(first.queue_position, 0U);
    EXPECT_EQ(second.queue_position, 1U);
    EXPECT_EQ(second.predicted_start_ms, std::nullopt) << "nothing was served yet";
    EXPECT_EQ(task(second.task_id).state, "queued");
    EXPECT_EQ(task(second.task_id).queue_position, 1U);
    EXPECT_TRUE(wait_metric(R"(queue_depth{model="qwen",priority="interactive"} 2)"));
    RawClient client = begin("POST", "/v1/completions", kPrompt);
    EXPECT_TRUE(wait_metric(R"(queue_depth{model="qwen",priority="interactive"} 3)"));
    node->open_gate();
    EXPECT_EQ(client.read_answer().status, 200);
    EXPECT_EQ(task(first.task_id).state, "done") << "served before the client that came later";
    const auto events = watch(second.task_id);
    EXPECT_EQ(events.front().name, "queued");
    EXPECT_EQ(events.front().data, R"({"queue_position":1,"predicted_start_ms":null})");
    EXPECT_EQ(events.back().name, "end");
    EXPECT_TRUE(slots_are_free());
}

TEST_F(ControlTasks, ThePredictionIsMeasured) {
    start_one();
    ASSERT_TRUE(wait_state(submit(kPrompt).task_id, "done"));
    submit_held(0);
    const auto first = submit(kPrompt).predicted_start_ms;
    const auto third = [&] {
        submit(kPrompt);
        return submit(kPrompt).predicted_start_ms;
    }();
    ASSERT_TRUE(first && third);
    EXPECT_GE(*third, *first);
}

TEST_F(ControlTasks, ACanceledTaskLeavesTheQueue) {
    start_one();
    submit_held(0);
    const std::string queued = submit(kPrompt).task_id;
    EXPECT_EQ(ask("POST", "/v2/tasks/" + queued + "/cancel").status, 204);
    EXPECT_TRUE(wait_metric(R"(queue_depth{model="qwen",priority="interactive"} 0)"));
    const auto events = watch(queued);
    EXPECT_EQ(names_of(events), "queued end");
    EXPECT_TRUE(events[1].data.contains(R"("canceled":true)"));
    EXPECT_EQ(task(queued).state, "canceled");
    EXPECT_EQ(ask("POST", "/v2/tasks/" + queued + "/cancel").status, 204) << "again";
    EXPECT_TRUE(metrics().contains(
        R"(tasks_canceled_total{engine="",engine_version="",node_id="",pool_id="",reason="client"} 1)"
    )) << metrics();
    node->open_gate();
    EXPECT_TRUE(slots_are_free());
    EXPECT_EQ(node->seen().size(), 1U) << "it was never sent";
}

TEST_F(ControlTasks, ACanceledTaskClosesItsEngineAndFreesItsSlot) {
    start_one();
    const std::string id = submit_held(1);
    RawClient watcher = begin("GET", events_path(id));
    ASSERT_TRUE(watcher.socket().receive_until(R"("t":"a")"));
    EXPECT_EQ(ask("POST", "/v2/tasks/" + id + "/cancel").status, 204);
    EXPECT_TRUE(watcher.socket().receive_until("event: end"));
    EXPECT_TRUE(node->wait_left(1));
    EXPECT_TRUE(slots_are_free());
    EXPECT_EQ(task(id).state, "canceled");
    EXPECT_EQ(task(id).output, "a");
    const auto events = watch(id);
    EXPECT_EQ(names_of(events), "started token end");
    EXPECT_TRUE(events.back().data.contains(R"("canceled":true)"));
    EXPECT_EQ(submit(kPrompt).queue_position, 0U) << "the slot is free";
}

TEST_F(ControlTasks, UnknownTasksAreNotFound) {
    start_one();
    for (const char* path : {"/v2/tasks/none", "/v2/tasks/none/events"}) {
        EXPECT_EQ(ask("GET", path).status, 404);
    }
    EXPECT_EQ(ask("POST", "/v2/tasks/none/cancel").status, 404);
    EXPECT_EQ(code_of(ask("POST", "/v2/tasks/none/cancel")), "NOT_FOUND");
}

TEST_F(ControlTasks, ADoneTaskIsCanceledWithoutEffect) {
    start_one();
    const std::string id = submit(kPrompt).task_id;
    ASSERT_TRUE(wait_state(id, "done"));
    EXPECT_EQ(ask("POST", "/v2/tasks/" + id + "/cancel").status, 204);
    EXPECT_EQ(task(id).state, "done");
}

TEST_F(ControlTasks, WhatNobodyServesIsRefusedAtOnceWithReasons) {
    start_one();
    const Answer got = ask(
        "POST", "/v2/tasks", R"({"model":"qwen","prompt":"p","placement":{"avoid_pools":["chat"]}})"
    );
    EXPECT_EQ(got.status, 503);
    EXPECT_EQ(code_of(got), "POOL_UNAVAILABLE");
    EXPECT_TRUE(got.body.contains(R"("pool_id":"chat")")) << got.body;
    EXPECT_EQ(ask("GET", "/v2/tasks").body, R"({"count":0,"tasks":[]})");
    EXPECT_TRUE(metrics().contains(R"(tasks_rejected_total{reason="POOL_UNAVAILABLE"} 1)"));
    EXPECT_TRUE(metrics().contains(
        R"(placement_decisions_total{outcome="no_capacity",pinned="false",fallback="false",node_id=""} 1)"
    ));
}

TEST_F(ControlTasks, BadTasksNameTheirField) {
    start_one();
    const Answer got = ask("POST", "/v2/tasks", R"({"model":"qwen","prompt":"p","ctx":-1})");
    EXPECT_EQ(got.status, 400);
    EXPECT_TRUE(got.body.contains(R"("param":"ctx")")) << got.body;
    const Answer late =
        ask("POST", "/v2/tasks", R"({"model":"qwen","prompt":"p","deadline_ms":0})");
    EXPECT_EQ(code_of(late), "DEADLINE_UNMET");
    EXPECT_EQ(ask("POST", "/v2/tasks", kPrompt, "Idempotency-Key: a b\r\n").status, 400);
    EXPECT_EQ(ask("GET", "/v2/tasks?state=lost").status, 400);
    EXPECT_EQ(ask("GET", "/v2/tasks?limit=0").status, 400);
    EXPECT_TRUE(wait_metric(R"(tasks_rejected_total{reason="DEADLINE_UNMET"} 1)"));
}

TEST_F(ControlTasks, AFullQueueRefuses) {
    config.admission.capacity = 1;
    start_one();
    submit_held(0);
    submit(kPrompt);
    const Answer got = ask("POST", "/v2/tasks", kPrompt);
    EXPECT_EQ(got.status, 429);
    EXPECT_EQ(code_of(got), "ADMISSION_REJECT");
    EXPECT_EQ(got.header("Retry-After"), "1");
}

TEST_F(ControlTasks, AQueuedTaskPastItsDeadlineEnds) {
    start_one();
    submit_held(0);
    const auto id = submit(R"({"model":"qwen","prompt":"p","deadline_ms":150})").task_id;
    const auto events = watch(id);
    EXPECT_EQ(events.back().name, "error");
    EXPECT_TRUE(events.back().data.contains(R"("code":"DEADLINE_UNMET")")) << events.back().data;
    EXPECT_EQ(task(id).state, "failed");
    EXPECT_EQ(task(id).error->code, "DEADLINE_UNMET");
    EXPECT_TRUE(wait_metric(R"(queue_depth{model="qwen",priority="interactive"} 0)"));
}

TEST_F(ControlTasks, ATaskThatWaitedTooLongEndsWithAnError) {
    config.admission.queue_timeout = std::chrono::milliseconds(100);
    start_one();
    submit_held(0);
    const auto events = watch(submit(kPrompt).task_id);
    EXPECT_EQ(names_of(events), "queued error");
    EXPECT_TRUE(events.back().data.contains(R"("code":"ADMISSION_REJECT")"));
}

TEST_F(ControlTasks, AnEngineThatDiesBeforeAByteIsReplaced) {
    start_one();
    FakeNode& other = join("gpu-2", {ready_pool("chat", "qwen", 1)});
    other.play(stream({token("x"), usage(1), std::string(kDone)}));
    Script dies = stream({token("a")});
    dies.cut_before = 0;
    node->play(dies);
    const std::string id =
        submit(
            R"({"model":"qwen","prompt":"p","placement":{"node_id":"gpu-1","allow_fallback":true}})"
        )
            .task_id;
    const auto events = watch(id);
    EXPECT_EQ(names_of(events), "started token metrics end");
    EXPECT_EQ(events[0].data, R"({"node_id":"gpu-2","pool_id":"chat","attempt":2})");
    EXPECT_EQ(task(id).attempts, 2U);
}

TEST_F(ControlTasks, AnEngineThatDiesInTheMiddleIsAnErrorEvent) {
    config.gateway.failed_for = std::chrono::milliseconds(50);
    config.admission.queue_timeout = std::chrono::milliseconds(500);
    start_one();
    Script dies = stream({token("a"), token("b")});
    dies.cut_before = 1;
    node->play(dies);
    const std::string id = submit(kPrompt).task_id;
    const auto events = watch(id);
    EXPECT_EQ(names_of(events), "started token error");
    EXPECT_TRUE(events.back().data.contains(R"("code":"WORKER_RESET")"));
    EXPECT_TRUE(events.back().data.contains(R"("retriable":true)"));
    EXPECT_EQ(task(id).state, "failed");
    EXPECT_TRUE(slots_are_free());
}

TEST_F(ControlTasks, AnEnginesRefusalIsTheTasksError) {
    start_one();
    node->play(answer(
        R"({"error":{"code":400,"message":"too long","type":"exceed_context_size_error"}})", 400
    ));
    const auto events = watch(submit(kPrompt).task_id);
    EXPECT_EQ(names_of(events), "error");
    EXPECT_TRUE(events[0].data.contains(R"("code":"CONTEXT_LENGTH_EXCEEDED")")) << events[0].data;
}

TEST_F(ControlTasks, TheSameAgainIsTheSameTask) {
    start_one();
    constexpr std::string_view kKey = "Idempotency-Key: k1\r\n";
    const Answer first = ask("POST", "/v2/tasks", kPrompt, kKey);
    const Answer again = ask("POST", "/v2/tasks", R"({"prompt":"p","model":"qwen"})", kKey);
    EXPECT_EQ(again.status, 202);
    EXPECT_EQ(again.body, first.body);
    const Answer other = ask("POST", "/v2/tasks", R"({"model":"qwen","prompt":"q"})", kKey);
    EXPECT_EQ(other.status, 409);
    EXPECT_EQ(code_of(other), "CONFLICT");
    EXPECT_EQ(submit(R"({"model":"qwen","prompt":"p","task_id":"mine"})").task_id, "mine");
    submit(R"({"model":"qwen","prompt":"p","task_id":"mine"})");
    EXPECT_EQ(
        ask("POST", "/v2/tasks", R"({"model":"qwen","prompt":"q","task_id":"mine"})").status, 409
    );
    EXPECT_TRUE(ask("GET", "/v2/tasks").body.contains(R"("count":2)"));
}

TEST_F(ControlTasks, TasksAreListedByState) {
    start_one();
    const std::string done = submit(kPrompt).task_id;
    ASSERT_TRUE(wait_state(done, "done"));
    const std::string held = submit_held(1);
    const std::string running = ask("GET", "/v2/tasks?state=running").body;
    EXPECT_TRUE(running.contains(held) && !running.contains(done)) << running;
    const std::string newest = ask("GET", "/v2/tasks?limit=1").body;
    EXPECT_TRUE(newest.contains(held) && !newest.contains(done)) << newest;
}

TEST_F(ControlTasks, APreviewDecidesAndClaimsNothing) {
    start_one();
    const Answer free = ask("POST", "/v2/tasks/preview", kPrompt);
    EXPECT_EQ(free.status, 200);
    EXPECT_TRUE(free.body.starts_with(
        R"({"decision":{"node_id":"gpu-1","pool_id":"chat"},"code":null,"message":null,)"
        R"("queue_position":0,"predicted_start_ms":0,)"
    )) << free.body;
    EXPECT_TRUE(free.body.contains(R"("feasible":true)"));
    submit_held(0);
    submit(kPrompt);
    const Answer busy = ask("POST", "/v2/tasks/preview", kPrompt);
    EXPECT_TRUE(busy.body.contains(R"("decision":null,"code":null)")) << busy.body;
    EXPECT_TRUE(busy.body.contains(R"("queue_position":1)"));
    const Answer none = ask("POST", "/v2/tasks/preview", R"({"model":"nope","prompt":"p"})");
    EXPECT_EQ(none.status, 200);
    EXPECT_TRUE(none.body.contains("\"code\":\"MODEL_NOT")) << none.body;
    EXPECT_EQ(ask("POST", "/v2/tasks/preview", "{}").status, 400);
    EXPECT_EQ(node->seen().size(), 1U);
}

TEST_F(ControlTasks, CountersTellTasksAndRequestsAlike) {
    start_one();
    ASSERT_TRUE(wait_state(submit(kPrompt).task_id, "done"));
    ASSERT_TRUE(
        wait_state(submit(R"({"model":"qwen","prompt":"p","priority":"batch"})").task_id, "done")
    );
    EXPECT_EQ(ask("POST", "/v1/completions", kPrompt).status, 200);
    const std::string_view batch = "X-Llorch-Priority: batch\r\n";
    EXPECT_EQ(ask("POST", "/v1/completions", kPrompt, batch).status, 200);
    EXPECT_EQ(chat("{").status, 400);
    EXPECT_EQ(chat(kPrompt, "X-Llorch-Priority: later\r\n").status, 400);
    const std::string text = metrics();
    EXPECT_TRUE(text.contains(R"(tasks_enqueued_total{model="qwen",priority="interactive"} 2)"))
        << text;
    EXPECT_TRUE(text.contains(R"(tasks_enqueued_total{model="qwen",priority="batch"} 2)")) << text;
    EXPECT_TRUE(text.contains(R"(node_id="gpu-1",pool_id="chat",priority="interactive"} 2)"))
        << text;
    EXPECT_TRUE(text.contains(
        R"(orchd_tasks_dispatched_total{node_id="gpu-1",pool_id="chat",outcome="success"} 4)"
    )) << text;
    EXPECT_TRUE(text.contains(R"(tasks_rejected_total{reason="INVALID_PARAMS"} 2)")) << text;
}

}  // namespace
}  // namespace orch::loopback
