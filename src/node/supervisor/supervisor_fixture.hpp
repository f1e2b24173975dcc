#pragma once

#include "base/log_capture.hpp"
#include "node/supervisor/proc_reader.hpp"
#include "node/supervisor/scratch_folder.hpp"
#include "node/supervisor/supervisor.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace orch::node::supervisor {
using lifecycle::PoolView;
using lifecycle::ReplicaState;
using lifecycle::ReplicaView;
using std::chrono::milliseconds;
using std::chrono::seconds;

inline constexpr Duration kGuard = seconds(60);  // far above any wait that can end well

inline const PoolId kPool("chat");
inline const ReplicaId kReplica("r0");

inline lifecycle::EngineConfig quick() {
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

    static Task<void> await_preload(
        Supervisor& supervisor, PoolId pool, std::optional<Result<void>>& answer
    ) {
        answer = co_await supervisor.preload(pool);
    }

    Result<void> preload(const PoolId& id = kPool) {
        std::optional<Result<void>> answer;
        tasks.spawn(await_preload(supervisor, id, answer));
        EXPECT_TRUE(run_until([&] { return answer.has_value(); }));
        return answer.value_or(fail(Errc::internal, "no answer"));
    }

    static Task<void> await_reload(
        Supervisor& supervisor,
        PoolId pool,
        std::string model,
        Duration limit,
        std::optional<Result<void>>& answer
    ) {
        answer = co_await supervisor.reload(pool, std::move(model), limit);
    }

    Result<void> reload(const std::string& model, Duration limit = kGuard) {
        std::optional<Result<void>> answer;
        tasks.spawn(await_reload(supervisor, kPool, model, limit, answer));
        EXPECT_TRUE(run_until([&] { return answer.has_value(); }));
        return answer.value_or(fail(Errc::internal, "no answer"));
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
        if (!exists("tiny.gguf")) {
            write("tiny.gguf", "never opened by the simulated engine");
        }
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

inline bool runs(std::int64_t pid) {
    const auto process = load_process(pid);
    return process && process->state != 'Z';
}

}  // namespace orch::node::supervisor
