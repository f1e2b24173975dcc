#pragma once

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/load_cell.hpp"
#include "base/strong_id.hpp"
#include "node/lifecycle/pool_spec.hpp"
#include "node/lifecycle/replica_state.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

// The node's pools at one moment, for every thread: immutable apart from the load cells.
namespace orch::node::lifecycle {

struct ReplicaView {
    ReplicaId id;
    ReplicaState state = ReplicaState::stopped;
    WallTime since{};                 // when the state was entered
    std::string url;                  // http://127.0.0.1:31337; empty before the first start
    std::optional<std::int64_t> pid;  // absent when unknown
    std::uint32_t slots_total = 0;
    std::uint32_t slots_of_others = 0;  // used past us, on an engine that we watch or adopted
    std::shared_ptr<LoadCell> cell;     // leases; its capacity is slots_total - slots_of_others
    std::optional<std::uint32_t> ctx;   // tokens per slot, as the engine says
    std::string last_error;
    std::string log_path;
    std::string engine_version;
    std::optional<double> load_progress;  // 0 to 1, while it loads
    bool watched = false;                 // somebody else runs it: never stopped
    bool given_up = false;                // no attempt can help it; last_error says why

    std::uint32_t slots_free() const;

    bool serves() const { return state == ReplicaState::ready && !url.empty(); }

    // Nothing of it runs, and it is this node's to start.
    bool at_rest() const { return state == ReplicaState::stopped && !watched && !given_up; }
};

struct PoolView {
    std::shared_ptr<const PoolSpec> spec;
    bool draining = false;
    bool startable = false;  // the node starts engines now: it is neither beginning nor stopping
    Bytes replica_vram = 0;  // what a start of one replica takes, estimated; 0: nothing, or unknown
    std::vector<ReplicaView> replicas;

    const ReplicaView* find(const ReplicaId& id) const;
    bool live() const;
    bool ready() const;
    bool broken() const;   // a replica crash-loops
    bool at_rest() const;  // all of it is
    bool drained() const;  // it was told to drain, and all of it is at rest
    bool loadable(
    ) const;  // it is at rest, not draining, and its node starts it when it is asked to
    Bytes vram_need() const;              // of a start of all replicas; 0 unless loadable
    std::uint32_t slots_total() const;    // of the replicas that serve or drain
    std::uint32_t slots_free() const;     // of those that serve; none while draining
    std::uint32_t active_leases() const;  // of all, the dying included
    std::string last_error() const;       // of a replica that does not serve; empty when all do
};

struct PoolsView {
    std::uint64_t version = 0;
    std::vector<std::shared_ptr<const PoolView>> pools;  // by id

    std::shared_ptr<const PoolView> find(const PoolId& id) const;
};

// The replica to lease next: of those that serve and have a free slot the least loaded, suspects
// last; nothing when there is none. The slot is not claimed: a claim that fails asks again.
const ReplicaView* choose_replica(const PoolView& pool, Instant now);

}  // namespace orch::node::lifecycle
