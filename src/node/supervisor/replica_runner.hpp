#pragma once

#include "api/handoff_file.hpp"
#include "async/async_clock.hpp"
#include "async/offload.hpp"
#include "async/task_group.hpp"
#include "base/host_port.hpp"
#include "base/log.hpp"
#include "base/rng.hpp"
#include "net/client_pool.hpp"
#include "node/lifecycle/engine_fsm.hpp"
#include "node/lifecycle/inherited_slots.hpp"
#include "node/lifecycle/pool_spec.hpp"
#include "node/lifecycle/replica_table.hpp"
#include "node/lifecycle/watched_engine_fsm.hpp"
#include "node/supervisor/engine_launcher.hpp"
#include "node/supervisor/engine_prober.hpp"
#include "node/supervisor/engine_process.hpp"
#include "node/supervisor/supervisor_probe.hpp"

#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace orch::node::supervisor {

// What all runners of a node share. Outlives them. Control thread.
struct RunnerServices {
    async::AsyncClock& clock;
    async::TaskGroup& tasks;
    net::ClientPool& clients;
    async::BlockingPool& blocking;
    Rng& rng;
    lifecycle::ReplicaTable& table;
    EngineLauncher& launcher;
    RecordFolder& run_records;
    std::filesystem::path runtime_dir;         // of the handoff files
    std::vector<lifecycle::GpuIdentity> gpus;  // for the next start
    std::function<void()> on_change;           // the table or at_rest() changed
    std::function<void(const PoolId&, const ReplicaId&)> on_close_upstreams;
    SupervisorProbe& probe;
    Logger log;
};

// One replica: its machine, its process if it is ours, its timers and its probes. It does what the
// machine says and tells it what came of it. Control thread.
//
// Requires: the services' tasks are joined before it dies.
class ReplicaRunner {
public:
    // A replica that we start. The pool and the replica are in the table.
    ReplicaRunner(
        RunnerServices& services,
        lifecycle::PoolSpec spec,
        ReplicaId replica,
        lifecycle::EngineConfig config
    );

    // A replica that somebody else runs at `to`.
    ReplicaRunner(
        RunnerServices& services,
        lifecycle::PoolSpec spec,
        ReplicaId replica,
        lifecycle::EngineConfig config,
        HostPort to
    );

    ReplicaRunner(const ReplicaRunner&) = delete;
    ReplicaRunner& operator=(const ReplicaRunner&) = delete;

    // Instead of the first start(): goes on with an engine of an earlier run, which was started by
    // `plan`. It serves once a probe says that it is the right one.
    void adopt(Leftover engine, EnginePlan plan);

    void start();
    void stop(Instant drain_until);

    // The daemon ends and its engine stays, with its run record; one that is being ended, or is
    // somebody else's, is stopped.
    void leave(Instant drain_until);

    // A watched engine has moved.
    void rebind(HostPort to);

    void connection_refused();

    // The next start loads another one. Requires: at_rest(), and an engine that we start.
    void change_model(std::string model);

    const ReplicaId& replica() const { return replica_; }

    const lifecycle::EngineStatus& status() const;

    bool watched() const;

    // http://127.0.0.1:31337; empty before the first start.
    std::string url() const;

    // It is stopped and no process of it is left; or its engine has been left alone.
    bool at_rest() const;

private:
    using Machine = std::variant<lifecycle::EngineFsm, lifecycle::WatchedEngineFsm>;

    void tell(lifecycle::EngineEvent event);
    void obey(const lifecycle::engine_action::Spawn& action);
    void obey(const lifecycle::engine_action::ProbeAt& action);
    void obey(const lifecycle::engine_action::Kill& action);
    void obey(const lifecycle::engine_action::CloseUpstreams& action);
    void obey(const lifecycle::engine_action::WriteHandoff& action);
    void obey(const lifecycle::engine_action::Publish& action);
    void obey(const lifecycle::engine_action::WakeAt& action);

    Task<void> run_process();
    Task<void> attend_process();
    Task<void> probe(std::uint64_t id);
    Task<void> write_handoff(api::HandoffFile file, std::uint64_t start);
    Task<void> trim_log_file();

    void take_in(LaunchedEngine engine);
    void follow(EngineProcess process, EnginePlan plan, std::string log_path);
    void learn(const ProbeAnswer& answer);
    void learn_facts(const engine::LlamaProps& props);
    void learn_slots(const engine::LlamaSlots& slots);
    bool has_other_users() const;
    void set_slots_of_others(std::uint32_t slots);
    void look_for_leases();
    void remove_handoff() const;
    void log_state();
    ProbeQuestion make_question() const;
    api::HandoffFile make_handoff() const;
    std::shared_ptr<const LoadCell> find_cell();

    RunnerServices& services_;
    lifecycle::PoolSpec spec_;
    const ReplicaId replica_;
    Machine machine_;
    std::deque<lifecycle::EngineEvent> events_;  // that came while the machine was being obeyed
    bool obeying_ = false;

    net::Deadline wake_;
    net::Deadline next_probe_;
    net::Deadline next_look_;     // for the last lease, while draining
    std::uint64_t probe_id_ = 0;  // asked for last
    bool probing_ = false;        // that one is under way
    bool doubted_ = false;        // a lease was refused; no probe has answered since
    std::optional<HostPort> to_;  // where it listens
    std::optional<lifecycle::ProcessFacts> last_look_;  // at its process, by the last probe
    std::optional<lifecycle::ReplicaFacts> facts_;      // as in the table
    std::uint32_t slots_of_others_ = 0;                 // as in the table
    Instant next_cache_look_{};                         // not before

    bool running_ = false;  // from Spawn, or adoption, to the end of the process
    bool leaving_ = false;  // leave() has spared its engine
    std::uint64_t start_ = 0;
    std::optional<EngineProcess> process_;                // absent while it is being started
    std::optional<lifecycle::InheritedSlots> inherited_;  // of an adopted one, until they are idle
    EnginePlan plan_;                                     // of this process
    std::string log_path_;
    std::string failure_log_;  // last lines of a start that failed
    bool trimming_ = false;
    std::optional<lifecycle::ReplicaState> logged_;  // the state told last
};

}  // namespace orch::node::supervisor
