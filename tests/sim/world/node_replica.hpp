#pragma once

#include "node/lifecycle/engine_fsm.hpp"
#include "node/lifecycle/inherited_slots.hpp"
#include "node/lifecycle/replica_table.hpp"
#include "sim/world/engine_process.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>

namespace orch::sim::world {

class NodeHost;

// Performs what a replica's EngineFsm decides, as the supervisor's runner does it, on processes of
// the simulation.
class NodeReplica : public std::enable_shared_from_this<NodeReplica> {
public:
    struct Parts {
        Hub& hub;
        NodeHost& host;
        node::lifecycle::ReplicaTable& table;
        std::function<void()> on_change;
        std::function<void(const ReplicaId&)> on_close_upstreams;
    };

    NodeReplica(Parts parts, PoolId pool, ReplicaId id, Rng& rng);

    void start();
    void stop(Duration drain);

    // An engine of the daemon's life before is this replica's again.
    void adopt(const std::shared_ptr<EngineProcess>& engine);
    void connection_refused();

    // The daemon is gone: nothing happens any more.
    void forget();

    bool at_rest() const;

    const PoolId& pool() const { return pool_; }

    const ReplicaId& id() const { return id_; }

    const node::lifecycle::EngineStatus& status() const { return fsm_.status(); }

    const std::shared_ptr<EngineProcess>& child() const { return child_; }

private:
    void tell(node::lifecycle::EngineEvent event);
    void obey(const node::lifecycle::engine_action::Spawn& action);
    void obey(const node::lifecycle::engine_action::ProbeAt& action);
    void obey(const node::lifecycle::engine_action::Kill& action);
    void obey(const node::lifecycle::engine_action::CloseUpstreams& action);
    void obey(const node::lifecycle::engine_action::WriteHandoff& action);
    void obey(const node::lifecycle::engine_action::Publish& action);
    void obey(const node::lifecycle::engine_action::WakeAt& action);

    void launch();
    void launched(const std::shared_ptr<EngineProcess>& child);
    void follow(const std::shared_ptr<EngineProcess>& child);
    void count_inherited();
    void exited();
    void probe(std::uint64_t id);
    void probed(std::uint64_t id, node::lifecycle::ProbeOutcome outcome, bool idle);
    void look_for_leases();
    std::shared_ptr<const LoadCell> find_cell();
    void later(Duration delay, void (NodeReplica::*act)());

    Parts parts_;
    PoolId pool_;
    ReplicaId id_;
    node::lifecycle::EngineFsm fsm_;
    std::deque<node::lifecycle::EngineEvent> events_;
    std::shared_ptr<EngineProcess> child_;
    std::optional<node::lifecycle::InheritedSlots> inherited_;  // of an adopted one
    std::uint64_t wake_ = 0;                                    // names the last WakeAt
    std::uint64_t probe_id_ = 0;                                // the last ProbeAt
    bool obeying_ = false;
    bool running_ = false;
    bool probing_ = false;
    bool doubted_ = false;
    bool looking_ = false;
    bool forgotten_ = false;
};

}  // namespace orch::sim::world
