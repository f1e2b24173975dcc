#pragma once

#include "api/node_messages.hpp"
#include "api/node_views.hpp"
#include "node/enroll/enroll_fsm.hpp"
#include "node/lease/lease.hpp"
#include "sim/world/node_replica.hpp"
#include "sim/world/wire.hpp"

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace orch::sim::world {

class NodeHost;

// One life of pool-managerd: enrolment, replicas, leases and relays, between its start and its end.
class NodeDaemon : public std::enable_shared_from_this<NodeDaemon> {
public:
    NodeDaemon(Hub& hub, NodeHost& host, std::uint64_t boot);

    void start();

    // Leaves, drains, ends its engines; `on_rest` when all of that is done.
    void stop(std::function<void()> on_rest);

    // As with POOL_MANAGERD_KEEP_ENGINES: drains, stays in the cluster and ends no engine.
    void stop_keeping(std::function<void()> on_rest);

    // Killed; with `tell` its peers are told by the kernel.
    void die(bool tell);

    void serve(const std::shared_ptr<Call>& call);
    void client_left(const std::shared_ptr<Call>& call);

    void drain(std::size_t pool, Duration limit);
    void preload(std::size_t pool);

    // As POST /v2/pools/{id}/preload; a node may refuse.
    Result<api::PoolStatus> load(const PoolId& pool);

    // The machine whose daemon says that it is at this address.
    static std::size_t host_at(std::string_view address);

    // Processes that there are when all is well: those of pools that are not at rest.
    std::size_t wanted_engines();

    // GET /v2/node, as the reachability check asks it.
    bool answers() const { return !dead_; }

    const std::vector<std::shared_ptr<NodeReplica>>& replicas() const { return replicas_; }

    std::size_t relays() const { return relays_.size(); }

    // Leases in the cells, of all replicas.
    std::uint32_t leases();

    bool registered() const {
        return enroll_.status().state == node::enroll::EnrollState::registered;
    }

private:
    struct Relay {
        std::shared_ptr<Call> call;
        std::optional<node::lease::Lease> lease;
        std::shared_ptr<EngineProcess> engine;
        std::uint64_t work = 0;
        bool begun = false;
    };

    using Relays = std::list<Relay>;

    // As Supervisor's: what of a pool is told at once.
    struct Standing {
        bool ready = false;
        bool draining = false;
        bool drained = false;
        bool loadable = false;
        bool broken = false;

        friend bool operator==(const Standing&, const Standing&) = default;
    };

    struct Lingering {
        std::list<node::lease::Lease> leases;
        bool watching = false;
    };

    void tell(const node::enroll::EnrollEvent& event);
    void perform(const node::enroll::enroll_action::SendRegister& action);
    void perform(const node::enroll::enroll_action::SendHeartbeat& action);
    void perform(const node::enroll::enroll_action::SendDeregister& action);
    void perform(const node::enroll::enroll_action::WaitUntil& action);
    void answered(std::uint64_t call, const node::enroll::EnrollEvent& event);
    std::vector<api::PoolReport> pool_reports();

    void begin();
    void begun();
    NodeReplica* find(const PoolId& pool, const ReplicaId& replica);
    void add_pool(std::size_t index);
    void publish();
    void notice_rest();
    void await_drained(Instant until);
    void close_relays(const PoolId& pool, const ReplicaId& replica);
    void fail_relay(Relays::iterator relay);
    void refuse(const std::shared_ptr<Call>& call, Errc code);
    void work(const std::shared_ptr<Call>& call, node::lease::Lease lease);
    Relays::iterator find(std::uint64_t work);
    void linger(node::lease::Lease lease, const std::shared_ptr<EngineProcess>& engine);
    void look_at(const std::shared_ptr<EngineProcess>& engine, Duration pause);

    Hub& hub_;
    NodeHost& host_;
    std::uint64_t boot_;
    Rng rng_;
    node::enroll::BeatSequence sequence_;
    node::enroll::EnrollFsm enroll_;
    node::lifecycle::ReplicaTable table_;
    std::vector<std::shared_ptr<NodeReplica>> replicas_;
    std::shared_ptr<const node::lifecycle::PoolsView> edge_view_;
    std::map<PoolId, Standing> standings_;
    Relays relays_;
    std::map<std::int64_t, Lingering> lingering_;  // by pid
    std::function<void()> on_rest_;
    std::optional<std::uint64_t> register_call_;
    std::optional<std::uint64_t> beat_call_;
    std::optional<std::uint64_t> leave_call_;
    std::uint64_t calls_ = 0;
    std::uint64_t wake_ = 0;
    std::uint64_t published_ = 0;
    bool beginning_ = false;
    bool dead_ = false;
};

}  // namespace orch::sim::world
