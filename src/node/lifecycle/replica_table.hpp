#pragma once

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/strong_id.hpp"
#include "node/lifecycle/engine_fsm.hpp"
#include "node/lifecycle/pool_spec.hpp"
#include "node/lifecycle/pools_view.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace orch::node::lifecycle {

// Where a replica is reached. Set when it is spawned, adopted or handed over.
struct ReplicaBinding {
    std::string url;       // http://127.0.0.1:31337
    std::string log_path;  // empty for engines of others
};

// What the engine says about itself, once it serves.
struct ReplicaFacts {
    std::optional<std::uint32_t> slots_total;
    std::optional<std::uint32_t> ctx;  // tokens per slot
    std::string engine_version;
};

// Pools and replicas of this node: what is wanted, what runs, where, and how it fares. Passive.
// One owner, the node's control thread; the others read snapshots.
// News of a pool or replica that is not there (any more) is ignored: it may arrive after a removal.
class ReplicaTable {
public:
    // Creates the pool, or changes its spec and keeps its replicas. What its slots and lease cells
    // are then is told by the next bind or set_facts.
    void put_pool(PoolSpec spec);
    void remove_pool(const PoolId& pool);
    void set_draining(const PoolId& pool, bool draining);

    // Whether the node starts engines: of all pools, those to come included.
    void set_startable(bool startable);

    // What a start of one replica takes of the pool's GPUs.
    void set_replica_vram(const PoolId& pool, Bytes bytes);

    // `slots` until the engine says otherwise. A replica that exists is left alone.
    void add_replica(
        const PoolId& pool, const ReplicaId& replica, std::uint32_t slots, bool watched
    );
    void remove_replica(const PoolId& pool, const ReplicaId& replica);

    void bind(const PoolId& pool, const ReplicaId& replica, ReplicaBinding binding);
    void set_status(
        const PoolId& pool, const ReplicaId& replica, const EngineStatus& status, WallTime now
    );
    // The replica rests for good, and says why.
    void give_up(const PoolId& pool, const ReplicaId& replica, std::string why, WallTime now);
    void set_facts(const PoolId& pool, const ReplicaId& replica, const ReplicaFacts& facts);
    void set_load_progress(const PoolId& pool, const ReplicaId& replica, double progress);

    // Slots of a watched or adopted engine that others than we hold.
    void set_slots_of_others(const PoolId& pool, const ReplicaId& replica, std::uint32_t slots);

    // What the table says now. The same object until something changes; pools that did not change
    // are shared with the snapshot before.
    std::shared_ptr<const PoolsView> snapshot();

private:
    struct Row {
        PoolView pool;
        std::shared_ptr<const PoolView> published;  // empty when `pool` has changed since
    };

    ReplicaView* edit(const PoolId& pool, const ReplicaId& replica);
    void touch(Row& row);

    std::map<PoolId, Row> rows_;
    bool startable_ = false;
    std::uint64_t version_ = 0;
    std::shared_ptr<const PoolsView> published_;
};

}  // namespace orch::node::lifecycle
