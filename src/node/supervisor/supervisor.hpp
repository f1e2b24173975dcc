#pragma once

#include "api/handoff_file.hpp"
#include "async/async_clock.hpp"
#include "async/event_loop.hpp"
#include "async/offload.hpp"
#include "async/task_group.hpp"
#include "base/log.hpp"
#include "base/rng.hpp"
#include "net/client_pool.hpp"
#include "node/inventory/gpu.hpp"
#include "node/lifecycle/engine_fsm.hpp"
#include "node/lifecycle/pool_spec.hpp"
#include "node/lifecycle/pools_view.hpp"
#include "node/lifecycle/replica_table.hpp"
#include "node/lifecycle/run_record.hpp"
#include "node/supervisor/engine_launcher.hpp"
#include "node/supervisor/record_folder.hpp"
#include "node/supervisor/replica_runner.hpp"
#include "node/supervisor/vram_need.hpp"

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace orch::node::supervisor {

struct SupervisorConfig {
    std::string engine_binary;  // llama-server of the pools that we start; empty: none found
    std::string engine_missing_reason;  // a sentence for people, while engine_binary is empty
    std::filesystem::path state_dir;    // exists; logs/, run/ and bound/ are made in it
    std::filesystem::path runtime_dir;  // of the handoff files; made when missing
    std::filesystem::path model_dir;    // holds what a spec names without a path
    FindModel find_model;               // the store that is asked for it first
    lifecycle::EngineConfig engine;     // start_timeout is each pool's own
    std::map<std::string, std::string> inherited_environment;
    Duration drain_limit = std::chrono::seconds(30);  // of stop()
    bool keep_engines = false;  // stop() leaves them running, for the next run to adopt
};

// What the supervisor works with; all of it outlives it. `tasks` and `clients` are those of the
// control thread, and the list of `clients.deadlines()` is being run there.
struct SupervisorParts {
    async::AsyncClock& clock;
    async::TaskGroup& tasks;
    net::ClientPool& clients;
    async::BlockingPool& blocking;
    Rng& rng;
    SupervisorProbe& probe;
};

// Hears each new state of the pools; `readiness_changed` when one came or went, or began or ceased
// to be ready, draining, loadable or broken. On the control thread.
using OnPools =
    std::function<void(std::shared_ptr<const lifecycle::PoolsView>, bool readiness_changed)>;

// Asks for the end of all relays to a replica. On the control thread.
using OnCloseUpstreams = std::function<void(const PoolId&, const ReplicaId&)>;

// Runs the engines of this node and watches those that others run: performs what the machines of
// lifecycle/ decide. The one prober, and the one writer of the replica table. Control thread only.
//
// Requires: stop() has returned, and `tasks` was cancelled and joined, before it dies.
class Supervisor {
public:
    using Parts = SupervisorParts;

    Supervisor(
        SupervisorConfig config,
        Parts parts,
        OnPools on_pools,
        OnCloseUpstreams on_close_upstreams,
        Logger log
    );
    ~Supervisor();
    Supervisor(const Supervisor&) = delete;
    Supervisor& operator=(const Supervisor&) = delete;

    // Publishes the pools, adopts engines of an earlier run that are what would be started now,
    // ends its others, then starts the pools that are not on demand. Once; nothing happens after a
    // stop().
    void start(std::vector<lifecycle::PoolSpec> pools, std::vector<inventory::Gpu> gpus);

    // Drains all replicas (drain_limit at most), ends our engines and returns when none is left;
    // with keep_engines it returns when they have drained and ends the relays that have not. Once.
    Task<void> stop();

    // The GPUs as found anew by a look that began at `looked_at`: for the starts to come, and for
    // what preload() may take of them.
    void set_gpus(std::vector<inventory::Gpu> gpus, Instant looked_at);

    // Starts a pool that is at rest, or tries one again that failed; takes a drain back; no change
    // where it runs. Returns when the start has begun.
    // Errors: not_found for the pool, or naming its model's file; conflict for a model that must
    // not be started, or while the pool is being reloaded; pool_unavailable when its GPUs have no
    // room for it, or nothing can start it; pool_unready while the node begins or stops, or when it
    // was drained meanwhile.
    Task<Result<void>> preload(PoolId pool);

    // Nothing new for the pool; its engines end when they are idle, at the latest after `limit`.
    // It stays so until a preload(), or the daemon's next start.
    // Errors: not_found; conflict while it is being reloaded; pool_unready while the node begins or
    // stops.
    Result<void> drain(const PoolId& pool, Duration limit);

    // Has the pool's engines load another model: nothing new for it, and its engines end once its
    // work has; then they start anew, whether or not they ran before. When work is left after
    // `limit`, nothing has been ended and the pool goes on as before. When a replica does not serve
    // at its first attempt, the pool goes back to the model that it had. `model` is as in a spec;
    // the daemon's next start takes that of the settings again. Returns when the reload has begun.
    // Errors: not_found for the pool, or naming the model's file; conflict for a model that must
    // not be started, a pool that somebody else runs, or one that is being reloaded;
    // pool_unavailable when nothing can start it, or it is at rest and its GPUs have no room for
    // the model; pool_unready while the node begins or stops.
    Task<Result<void>> reload(PoolId pool, std::string model, Duration limit);

    // A lease could not connect: the replica is not ready until a probe, made at once, says so.
    void connection_refused(const PoolId& pool, const ReplicaId& replica);

    // Binds an engine that somebody else runs to its pool; a pool that does not exist is made from
    // the file. Remembered over restarts. False when it does not fit, or the node is stopping.
    bool handed_over(api::HandoffFile file);

    // The pools as they are now.
    std::shared_ptr<const lifecycle::PoolsView> view();

private:
    using Key = std::pair<PoolId, ReplicaId>;

    // What of a pool is told at once.
    struct Standing {
        bool ready = false;
        bool draining = false;
        bool drained = false;
        bool loadable = false;
        bool broken = false;

        friend bool operator==(const Standing&, const Standing&) = default;
    };

    // A pool on its way to another model.
    struct Reload {
        PoolId pool;
        std::string new_model;
        std::string old_model;
        Instant since{};
        Duration limit{};       // for work to end
        bool at_rest = false;   // before it
        bool draining = false;  // before it
    };

    void prepare_folders();
    Task<void> begin();
    std::vector<lifecycle::RunRecord> load_run_records();
    Task<bool> adopt(lifecycle::RunRecord record);
    Task<Result<EnginePlan>> plan_for(lifecycle::RunRecord record);
    void forget(const lifecycle::RunRecord& record) const;
    Task<void> end_relays(Instant drain_until);
    void load_bound();
    enum class Bound { ours, watched, refused };
    Bound bind(const api::HandoffFile& file);
    void bind_watched(const api::HandoffFile& file);
    bool fits_its_pool(const api::HandoffFile& file);
    void add_pool(const lifecycle::PoolSpec& spec);
    void add_replica(const lifecycle::PoolSpec& spec, const ReplicaId& replica);
    void add_watched(
        const lifecycle::PoolSpec& spec, const ReplicaId& replica, std::uint32_t slots, HostPort to
    );
    void give_up(const PoolId& pool, const ReplicaId& replica, std::string why);
    void start_pool(const PoolId& pool);
    Result<void> check_request(const PoolId& pool);
    Result<void> check_preload(const PoolId& pool);
    Result<void> check_after_measuring(const PoolId& pool, bool drained);
    std::vector<VramClaim> loading_claims();
    Task<void> measure_models();
    Task<Result<void>> measure_model(PoolId pool);
    void estimate_vram(const PoolId& pool);
    Result<void> check_reload(const PoolId& pool);
    Result<void> check_room_of_reload(const lifecycle::PoolSpec& wanted, const ModelFacts& facts);
    void begin_reload(const PoolId& pool, std::string model, Duration limit);
    Task<void> run_reload(Reload reload);
    Task<std::optional<ReloadFailure>> carry_out(Reload reload);
    void call_off(const Reload& reload);
    Task<bool> go_back(Reload reload);
    Task<bool> change_model(PoolId pool, std::string model, Instant drain_until);
    Task<bool> look_until(std::function<bool()> reached);
    std::uint32_t leases_of(const PoolId& pool);
    bool serves(const PoolId& pool) const;
    bool start_failed(const PoolId& pool) const;
    std::vector<ReplicaRunner*> engines_of(const PoolId& pool) const;
    void begin_drain(const PoolId& pool, DrainReason reason);
    void notice_drained();
    bool all_at_rest(const PoolId& pool) const;
    std::vector<ReplicaRunner*> runners_of(const PoolId& pool) const;
    ReplicaRunner* find(const PoolId& pool, const ReplicaId& replica);
    lifecycle::EngineConfig engine_config(const lifecycle::PoolSpec& spec) const;
    void publish();
    void note_loads();
    bool note_readiness(const lifecycle::PoolsView& pools);
    void notice_rest();

    SupervisorConfig config_;
    Parts parts_;
    OnPools on_pools_;
    OnCloseUpstreams on_close_upstreams_;
    Logger log_;
    lifecycle::ReplicaTable table_;
    RecordFolder run_records_;
    RecordFolder bound_;  // handoff files that were taken in
    EngineLauncher launcher_;
    RunnerServices services_;
    std::map<Key, std::unique_ptr<ReplicaRunner>> runners_;
    std::map<Key, std::string> told_bound_;  // URL
    std::map<PoolId, Standing> standings_;   // as published last
    std::vector<inventory::Gpu> gpus_;       // as found last
    std::map<PoolId, ModelFacts> models_;    // as looked at last, of our own pools
    std::set<Key> loads_;                    // which gpus_ may not show yet
    std::map<PoolId, Instant> drains_;       // whose engines have not ended; since when
    std::set<PoolId> reloading_;
    std::uint64_t published_ = 0;                  // version
    bool beginning_ = false;                       // leftovers are being adopted and ended
    std::optional<async::Handoff<bool>> at_rest_;  // stopping; set once all is at rest
    bool rested_ = false;
};

}  // namespace orch::node::supervisor
