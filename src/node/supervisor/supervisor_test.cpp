#include "node/supervisor/supervisor.hpp"

#include "base/log_capture.hpp"
#include "node/supervisor/proc_reader.hpp"
#include "node/supervisor/scratch_folder.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace orch::node::supervisor {
namespace {

using lifecycle::PoolView;
using lifecycle::ReplicaState;
using lifecycle::ReplicaView;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kGuard = seconds(60);  // far above any wait that can end well

const PoolId kPool("chat");
const ReplicaId kReplica("r0");

lifecycle::EngineConfig quick() {
    lifecycle::EngineConfig config;
    config.eager_probe = milliseconds(20);
    config.ready_probe = milliseconds(50);
    config.stop_grace = seconds(5);
    config.restart.backoff = {
        .initial = milliseconds(20), .maximum = milliseconds(40), .jitter = 0
    };
    return config;
}

// A node's control thread and one supervisor on it, dropped as if the daemon was killed unless it
// is stopped.
struct Daemon {
    asio::io_context& context;
    async::RealClock clock;
    CapturedLog lines;
    LogSink sink{{}, clock, lines};
    net::DeadlineList deadlines{clock};
    net::ClientPool clients{context.get_executor(), deadlines};
    async::BlockingPool blocking{2};
    Rng rng{7};
    metrics::Registry metrics;
    SupervisorProbe probe{metrics, NodeId("n1")};
    std::vector<std::string> bugs;
    std::vector<ReplicaId> closed;
    std::vector<bool> readiness_changes;
    std::shared_ptr<const lifecycle::PoolsView> pools;
    async::TaskGroup tasks{context.get_executor(), [this](const std::string& what) {
                               bugs.push_back(what);
                           }};
    Supervisor supervisor;

    Daemon(asio::io_context& io, SupervisorConfig config)
        : context(io),
          supervisor(
              std::move(config),
              {clock, tasks, clients, blocking, rng, probe},
              [this](std::shared_ptr<const lifecycle::PoolsView> view, bool changed) {
                  pools = std::move(view);
                  readiness_changes.push_back(changed);
              },
              [this](const PoolId&, const ReplicaId& replica) { closed.push_back(replica); },
              Logger(sink, "supervisor")
          ) {
        tasks.spawn(deadlines.run());
    }

    ~Daemon() {
        tasks.cancel();
        EXPECT_TRUE(run_until([this] { return tasks.size() == 0; }));
        EXPECT_TRUE(bugs.empty()) << bugs.front();
        clients.close_idle();
        for (const auto& [pid, start_time] : started) {
            const auto process = load_process(pid);
            if (process && process->start_time == start_time) {
                kill(static_cast<pid_t>(pid), SIGKILL);
            }
        }
    }

    Daemon(const Daemon&) = delete;
    Daemon& operator=(const Daemon&) = delete;

    std::map<std::int64_t, std::uint64_t> started;  // pids and start times of its engines
    bool leaves_engines = false;                    // else they die with it

    bool run_until(const std::function<bool()>& reached) {
        const Instant end = clock.now() + kGuard;
        while (!reached()) {
            if (clock.now() > end) {
                return false;
            }
            context.restart();
            context.run_one_for(seconds(1));
            note_engines();
        }
        return true;
    }

    void note_engines() {
        const ReplicaView* const seen = replica();
        if (leaves_engines || seen == nullptr || !seen->pid || seen->watched ||
            started.contains(*seen->pid)) {
            return;
        }
        if (const auto process = load_process(*seen->pid)) {
            started[*seen->pid] = process->start_time;
        }
    }

    std::shared_ptr<const PoolView> pool(const PoolId& id = kPool) const {
        return pools ? pools->find(id) : nullptr;
    }

    const ReplicaView* replica() const {
        const auto found = pool();
        return found == nullptr || found->replicas.empty() ? nullptr : &found->replicas.front();
    }

    bool is_in(ReplicaState state) const { return replica() && replica()->state == state; }

    bool run_until_in(ReplicaState state) {
        return run_until([&] { return is_in(state); });
    }

    static Task<void> await_stop(Supervisor& supervisor, bool& stopped) {
        co_await supervisor.stop();
        stopped = true;
    }

    bool stop() {
        bool stopped = false;
        tasks.spawn(await_stop(supervisor, stopped));
        return run_until([&] { return stopped; });
    }
};

struct SupervisorTest : ScratchFolder {
    asio::io_context context;

    SupervisorConfig config(const std::string& state = "state") const {
        SupervisorConfig out;
        out.engine_binary = ENGINE_SIM;
        out.state_dir = folder / state;
        out.runtime_dir = folder / state / "runtime";
        out.model_dir = folder;
        out.engine = quick();
        return out;
    }

    lifecycle::PoolSpec spec() const {
        write("tiny.gguf", "never opened by the simulated engine");
        lifecycle::PoolSpec out;
        out.id = kPool;
        out.model = (folder / "tiny.gguf").string();
        out.slots = 2;
        out.ctx = 512;
        return lifecycle::with_defaults(out);
    }

    std::unique_ptr<Daemon> daemon(SupervisorConfig settings) {
        return std::make_unique<Daemon>(context, std::move(settings));
    }
};

bool runs(std::int64_t pid) {
    const auto process = load_process(pid);
    return process && process->state != 'Z';
}

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

TEST_F(SupervisorTest, AnEngineOfAKilledDaemonIsEndedBeforeItsPoolStarts) {
    auto killed = daemon(config());
    killed->supervisor.start({spec()}, {});
    ASSERT_TRUE(killed->run_until_in(ReplicaState::ready));
    const std::int64_t left_behind = killed->replica()->pid.value();
    killed->started.clear();
    killed->leaves_engines = true;
    killed.reset();
    ASSERT_TRUE(runs(left_behind));

    auto next = daemon(config());
    next->supervisor.start({spec()}, {});
    ASSERT_TRUE(next->run_until([&] { return next->replica()->pid.has_value(); }));
    EXPECT_FALSE(runs(left_behind));
    EXPECT_EQ(next->lines.count("left behind"), 1U);
    ASSERT_TRUE(next->run_until_in(ReplicaState::ready));
    EXPECT_TRUE(next->stop());
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
    ASSERT_TRUE(node->supervisor.preload(kPool).has_value());
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
    EXPECT_FALSE(node->supervisor.preload(PoolId("absent")).has_value());
    ASSERT_TRUE(node->supervisor.preload(kPool).has_value());
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
