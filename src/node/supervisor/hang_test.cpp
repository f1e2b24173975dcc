#include "net/http_call.hpp"
#include "node/supervisor/supervisor_fixture.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <optional>
#include <string>
#include <string_view>

namespace orch::node::supervisor {
namespace {

using HangTest = SupervisorTest;

Task<void> ask(
    net::ClientPool& clients, net::ClientRequest request, std::optional<net::CallResult>& answer
) {
    answer = co_await net::http_call(clients, std::move(request), kGuard);
}

net::ClientRequest chat_with(const ReplicaView& replica) {
    net::ClientRequest request;
    request.method = net::Method::post;
    request.to = parse_host_port(replica.url.substr(7)).value();
    request.target = "/v1/chat/completions";
    request.body = R"({"messages":[{"role":"user","content":"hello"}]})";
    return request;
}

TEST_F(HangTest, AStoppedEngineIsIsolatedKilledAndReplaced) {
    auto node = daemon(config());
    node->supervisor.start({spec()}, {});
    ASSERT_TRUE(node->run_until_in(ReplicaState::ready));
    const std::int64_t pid = node->replica()->pid.value();
    kill(static_cast<pid_t>(pid), SIGSTOP);
    ASSERT_TRUE(node->run_until([&] { return !node->pool()->ready(); }));
    EXPECT_TRUE(node->readiness_changes.back()) << "told at once";
    ASSERT_TRUE(node->run_until([&] {
        return node->is_in(ReplicaState::ready) && node->replica()->pid != pid;
    }));
    EXPECT_FALSE(runs(pid));
    EXPECT_GE(node->lines.count("hung: no answer to 3 probes"), 1U);
    EXPECT_EQ(node->closed, std::vector<ReplicaId>{kReplica});
    EXPECT_TRUE(node->stop());
}

TEST_F(HangTest, AnAdoptedEngineThatIsStoppedIsReplaced) {
    auto killed = daemon(config());
    killed->leaves_engines = true;
    killed->supervisor.start({spec()}, {});
    ASSERT_TRUE(killed->run_until_in(ReplicaState::ready));
    const std::int64_t pid = killed->replica()->pid.value();
    killed.reset();
    kill(static_cast<pid_t>(pid), SIGSTOP);
    auto next = daemon(config());
    next->supervisor.start({spec()}, {});
    ASSERT_TRUE(next->run_until_in(ReplicaState::ready));
    EXPECT_NE(next->replica()->pid, pid);
    EXPECT_FALSE(runs(pid));
    EXPECT_TRUE(next->stop());
}

// The whole engine computes for longer than three probes wait.
TEST_F(HangTest, AnEngineThatIsTooBusyToAnswerIsLeftAlone) {
    auto busy = spec();
    busy.env["ENGINE_SIM_COMPUTE_MS"] = "9000";
    auto node = daemon(config());
    node->supervisor.start({busy}, {});
    ASSERT_TRUE(node->run_until_in(ReplicaState::ready));
    const std::int64_t pid = node->replica()->pid.value();
    std::optional<net::CallResult> answer;
    node->tasks.spawn(ask(node->clients, chat_with(*node->replica()), answer));
    ASSERT_TRUE(node->run_until([&] { return answer.has_value(); }));
    EXPECT_EQ(answer->status, 200) << answer->failure_text;
    EXPECT_TRUE(node->is_in(ReplicaState::ready));
    EXPECT_EQ(node->replica()->pid, pid);
    const std::string metrics = node->metrics.expose();
    const std::string_view silent = R"(outcome="timeout"} )";
    const std::size_t at = metrics.find(silent);
    ASSERT_NE(at, std::string::npos) << "no probe went unanswered: nothing is shown";
    EXPECT_GE(std::stoi(metrics.substr(at + silent.size())), 3);
    EXPECT_TRUE(node->stop());
}

}  // namespace
}  // namespace orch::node::supervisor
