#include "node/supervisor/supervisor_fixture.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <optional>
#include <string>

namespace orch::node::supervisor {
namespace {

TEST_F(SupervisorTest, StartsAnEnginePublishesItAndStopsItAgain) {
    auto node = daemon(config());
    node->supervisor.start({spec()}, {});
    ASSERT_TRUE(node->run_until_in(ReplicaState::ready));
    const ReplicaView ready = *node->replica();
    EXPECT_TRUE(node->pool()->ready());
    EXPECT_EQ(ready.slots_total, 2U);
    EXPECT_EQ(ready.ctx, 512U);
    EXPECT_TRUE(ready.url.starts_with("http://127.0.0.1:"));
    EXPECT_EQ(ready.log_path, (folder / "state/logs/chat-r0-1.log").string());
    EXPECT_TRUE(exists("state/run/chat-r0.json"));
    const auto handoff = folder / "state/runtime/chat-r0.json";
    ASSERT_TRUE(node->run_until([&] { return std::filesystem::exists(handoff); }));
    const auto file = api::parse_handoff_file(read(handoff));
    ASSERT_TRUE(file.has_value()) << file.error().reason;
    EXPECT_EQ(file->url, ready.url);
    EXPECT_EQ(file->slots_total, 2U);
    ASSERT_TRUE(node->stop());
    EXPECT_TRUE(node->is_in(ReplicaState::stopped));
    EXPECT_FALSE(runs(ready.pid.value()));
    EXPECT_FALSE(exists("state/run/chat-r0.json"));
    EXPECT_FALSE(std::filesystem::exists(handoff));
    EXPECT_EQ(node->closed, std::vector<ReplicaId>{kReplica});
}

TEST_F(SupervisorTest, TellsWhenReadinessChanges) {
    auto node = daemon(config());
    node->supervisor.start({spec()}, {});
    ASSERT_TRUE(node->run_until_in(ReplicaState::ready));
    EXPECT_TRUE(node->readiness_changes.back());
    EXPECT_EQ(std::ranges::count(node->readiness_changes, true), 2);  // it came, it is ready
    ASSERT_TRUE(node->stop());
    EXPECT_EQ(std::ranges::count(node->readiness_changes, true), 3);
}

TEST_F(SupervisorTest, AFailedStartTellsTheExitCodeAndTheEndOfTheLog) {
    auto node = daemon(config());
    auto failing = spec();
    failing.env["ENGINE_SIM_EXIT_AT_START"] = "1";
    node->supervisor.start({failing}, {});
    ASSERT_TRUE(node->run_until_in(ReplicaState::backing_off));
    const std::string error = node->replica()->last_error;
    EXPECT_TRUE(error.starts_with("exit code 1")) << error;
    const std::string log = read(folder / "state/logs/chat-r0-1.log");
    ASSERT_FALSE(log.empty());
    EXPECT_TRUE(error.ends_with("\n" + log.substr(0, log.size() - 1))) << error;
    ASSERT_TRUE(node->run_until_in(ReplicaState::broken));
    EXPECT_EQ(node->replica()->log_path, (folder / "state/logs/chat-r0-5.log").string());
}

TEST_F(SupervisorTest, AMissingModelIsNamed) {
    auto node = daemon(config());
    auto absent = spec();
    absent.model = (folder / "absent.gguf").string();
    node->supervisor.start({absent}, {});
    ASSERT_TRUE(node->run_until_in(ReplicaState::backing_off));
    EXPECT_NE(node->replica()->last_error.find(absent.model), std::string::npos);
}

TEST_F(SupervisorTest, WithoutAnEngineNothingIsTriedAndThePoolSaysWhy) {
    auto settings = config();
    settings.engine_binary.clear();
    settings.engine_missing_reason = "no llama-server was found";
    auto node = daemon(settings);
    node->supervisor.start({spec()}, {});
    EXPECT_TRUE(node->is_in(ReplicaState::stopped));
    EXPECT_EQ(node->pool()->last_error(), "no llama-server was found");
    EXPECT_TRUE(node->stop());
}

TEST_F(SupervisorTest, AnEngineThatDiesIsStartedAgain) {
    auto node = daemon(config());
    node->supervisor.start({spec()}, {});
    ASSERT_TRUE(node->run_until_in(ReplicaState::ready));
    const auto first = node->replica()->pid;
    kill(static_cast<pid_t>(*first), SIGKILL);
    ASSERT_TRUE(node->run_until([&] {
        return node->is_in(ReplicaState::ready) && node->replica()->pid != first;
    }));
    EXPECT_GE(node->lines.count("signal 9"), 1U);
    EXPECT_TRUE(node->stop());
}

TEST_F(SupervisorTest, AHandedOverEngineIsWatchedAndNeverStopped) {
    auto owner = daemon(config("owner"));
    owner->supervisor.start({spec()}, {});
    ASSERT_TRUE(owner->run_until_in(ReplicaState::ready));
    api::HandoffFile file;
    file.pool_id = kPool;
    file.replica_id = ReplicaId("provisioned-1");
    file.url = owner->replica()->url;
    {
        auto node = daemon(config("watcher"));
        node->supervisor.start({}, {});
        node->supervisor.handed_over(file);
        ASSERT_TRUE(node->run_until_in(ReplicaState::ready));
        EXPECT_TRUE(node->replica()->watched);
        EXPECT_EQ(node->replica()->slots_total, 2U);
        EXPECT_EQ(node->lines.count("pool_bound"), 1U);
        ASSERT_TRUE(node->stop());
    }
    EXPECT_TRUE(runs(owner->replica()->pid.value()));
    auto restarted = daemon(config("watcher"));
    restarted->supervisor.start({}, {});
    EXPECT_TRUE(restarted->run_until_in(ReplicaState::ready));
    EXPECT_TRUE(owner->stop());
    EXPECT_TRUE(restarted->run_until_in(ReplicaState::backing_off));
    EXPECT_TRUE(restarted->stop());
}

TEST_F(SupervisorTest, ItsOwnHandoffFileBindsAndChangesNothing) {
    auto node = daemon(config());
    node->supervisor.start({spec()}, {});
    ASSERT_TRUE(node->run_until_in(ReplicaState::ready));
    api::HandoffFile file;
    file.pool_id = kPool;
    file.replica_id = kReplica;
    file.url = node->replica()->url;
    node->supervisor.handed_over(file);
    EXPECT_EQ(node->lines.count("pool_bound"), 1U);
    EXPECT_FALSE(node->replica()->watched);
    file.url = "http://127.0.0.1:1";
    node->supervisor.handed_over(file);
    EXPECT_NE(node->replica()->url, file.url);
    EXPECT_EQ(node->lines.count("pool_bound"), 1U);
    EXPECT_TRUE(node->stop());
}

TEST_F(SupervisorTest, ARefusedLeaseUnreadiesTheReplicaUntilAProbeAnswers) {
    auto node = daemon(config());
    node->supervisor.start({spec()}, {});
    ASSERT_TRUE(node->run_until_in(ReplicaState::ready));
    node->supervisor.connection_refused(kPool, kReplica);
    EXPECT_FALSE(node->pool()->ready());
    EXPECT_TRUE(node->run_until_in(ReplicaState::ready));
    EXPECT_TRUE(node->stop());
}

TEST_F(SupervisorTest, ADrainWaitsForTheLastLeaseAndAPreloadBringsThePoolBack) {
    auto node = daemon(config());
    node->supervisor.start({spec()}, {});
    ASSERT_TRUE(node->run_until_in(ReplicaState::ready));
    const auto cell = node->replica()->cell;
    ASSERT_TRUE(cell->try_claim());
    ASSERT_TRUE(node->supervisor.drain(kPool, kGuard).has_value());
    EXPECT_TRUE(node->pool()->draining);
    const Instant looked_often = node->clock.now() + milliseconds(300);
    ASSERT_TRUE(node->run_until([&] { return node->clock.now() > looked_often; }));
    EXPECT_TRUE(node->is_in(ReplicaState::draining));
    EXPECT_FALSE(cell->release());
    ASSERT_TRUE(node->run_until_in(ReplicaState::stopped));
    ASSERT_TRUE(node->preload().has_value());
    EXPECT_TRUE(node->run_until([&] { return node->pool()->ready(); }));
    EXPECT_TRUE(node->stop());
}

TEST_F(SupervisorTest, APoolOnDemandStartsWhenItIsAskedFor) {
    auto node = daemon(config());
    auto on_demand = spec();
    on_demand.on_demand = true;
    auto at_once = spec();
    at_once.id = PoolId("other");
    node->supervisor.start({on_demand, at_once}, {});
    ASSERT_TRUE(node->run_until([&] { return node->pool(PoolId("other"))->ready(); }));
    EXPECT_TRUE(node->is_in(ReplicaState::stopped));
    EXPECT_EQ(node->preload(PoolId("absent")).error().code, Errc::not_found);
    ASSERT_TRUE(node->preload().has_value());
    EXPECT_TRUE(node->run_until_in(ReplicaState::ready));
    EXPECT_TRUE(node->stop());
}

TEST_F(SupervisorTest, AnEngineThatIsStillLoadingIsStoppedAtOnce) {
    auto node = daemon(config());
    auto slow = spec();
    slow.env["ENGINE_SIM_LOAD_MS"] = "600000";
    node->supervisor.start({slow}, {});
    ASSERT_TRUE(node->run_until_in(ReplicaState::loading));
    const auto pid = node->replica()->pid.value();
    EXPECT_TRUE(node->stop());
    EXPECT_FALSE(runs(pid));
}

TEST_F(SupervisorTest, AStoppedProcessThatDoesNotAnswerIsIdle) {
    auto node = daemon(config());
    node->supervisor.start({spec()}, {});
    ASSERT_TRUE(node->run_until_in(ReplicaState::ready));
    ProbeQuestion question;
    question.child = node->replica()->pid;
    question.to = parse_host_port(node->replica()->url.substr(7)).value();
    kill(static_cast<pid_t>(*question.child), SIGSTOP);
    std::optional<ProbeAnswer> answer;
    const auto ask =
        [](net::ClientPool& clients, ProbeQuestion what, std::optional<ProbeAnswer>& out
        ) -> Task<void> { out = co_await probe_engine(clients, what); };
    node->tasks.spawn(ask(node->clients, question, answer));
    ASSERT_TRUE(node->run_until([&] { return answer.has_value(); }));
    EXPECT_EQ(answer->outcome, lifecycle::ProbeOutcome::no_answer);
    EXPECT_TRUE(answer->process_idle);
    kill(static_cast<pid_t>(*question.child), SIGCONT);
    EXPECT_TRUE(node->stop());
}

TEST_F(SupervisorTest, AnswersOfAnotherProcessAreNotTheChilds) {
    auto node = daemon(config());
    node->supervisor.start({spec()}, {});
    ASSERT_TRUE(node->run_until_in(ReplicaState::ready));
    ProbeQuestion question;
    question.child = getpid();
    question.to = parse_host_port(node->replica()->url.substr(7)).value();
    std::optional<ProbeAnswer> answer;
    const auto ask =
        [](net::ClientPool& clients, ProbeQuestion what, std::optional<ProbeAnswer>& out
        ) -> Task<void> { out = co_await probe_engine(clients, what); };
    node->tasks.spawn(ask(node->clients, question, answer));
    ASSERT_TRUE(node->run_until([&] { return answer.has_value(); }));
    EXPECT_EQ(answer->outcome, lifecycle::ProbeOutcome::wrong_child);
    EXPECT_TRUE(node->stop());
}

}  // namespace
}  // namespace orch::node::supervisor
