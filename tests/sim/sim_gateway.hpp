#pragma once

#include "control/gateway/attempt_fsm.hpp"
#include "control/gateway/dispatch_loop.hpp"
#include "control/gateway/edge_state.hpp"
#include "control/gateway/slot_claim.hpp"
#include "net/edge.hpp"
#include "sim/sim_cluster.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace orch::sim {

// How a request of the simulation ended.
enum class Ending { served, failed, broken, rejected, client_left };

struct SimRequest {
    std::string model;
    Duration work{};                  // how long its engine takes
    Instant leaves = Instant::max();  // when its client loses patience
    std::vector<Ending> endings;
    Instant arrived{};
    std::optional<Instant> begun;  // when a node took it last
};

// The gateway without HTTP: requests placed, queued, leased, retried and ended as the real one does
// it, on the nodes of a SimCluster. A node's truth (slots, life) is the simulation's; the control
// plane hears of it through heartbeats only.
class SimGateway {
public:
    struct Limits {
        std::size_t nodes = 1;
        std::uint32_t slots = 1;  // of each node
        control::admission::AdmissionConfig admission;
        double refusals = 0;  // how often a lease is refused although a slot is free
    };

    SimGateway(std::uint64_t seed, Limits limits);
    ~SimGateway();
    SimGateway(const SimGateway&) = delete;
    SimGateway& operator=(const SimGateway&) = delete;

    // A request that arrives now; kept until the end.
    SimRequest& arrive(std::string model, Duration work, Instant leaves = Instant::max());

    // The node's work ends without an answer, and it is silent for so long.
    void lose_node(std::size_t index, Duration silence);

    SimCluster& cluster() { return cluster_; }

    const std::vector<std::unique_ptr<SimRequest>>& requests() const { return requests_; }

    std::size_t waiting() { return dispatch_->dispatcher().waiting(); }

    // Claims and waiters in the cells of the present view.
    std::uint64_t claimed() const;
    std::uint64_t waiters() const;

    // What must never happen, as sentences.
    const std::vector<std::string>& defects() const { return defects_; }

private:
    struct Run;

    struct Machine {
        std::uint32_t leases = 0;
        std::uint64_t life = 0;  // grows when the node is lost
        Instant down_until{};
    };

    Task<void> serve(Run& run);
    Task<control::gateway::AttemptEvent> perform(
        Run& run, control::gateway::AttemptAction::Kind action
    );
    control::gateway::AttemptEvent place(Run& run);
    Task<control::gateway::AttemptEvent> wait(Run& run);
    Task<control::gateway::AttemptEvent> send(Run& run);
    Task<control::gateway::AttemptEvent> work(Run& run);
    void take_claim(Run& run, control::gateway::SlotClaim claim);
    void give_back(Run& run);
    void end_lease(Run& run);
    void check(const LoadCell& cell);
    std::size_t index_of(const PoolKey& key) const;

    bool up(const Machine& machine) const { return cluster_.now() >= machine.down_until; }

    Limits limits_;
    std::vector<Machine> machines_;
    std::unique_ptr<control::gateway::DispatchLoop> dispatch_;
    std::unique_ptr<net::Edge> edge_;
    std::unique_ptr<control::gateway::EdgeState> edge_state_;
    SimCluster cluster_;
    std::unique_ptr<async::TaskGroup> runs_;
    std::vector<std::unique_ptr<SimRequest>> requests_;
    std::map<const LoadCell*, std::uint32_t> held_;  // claims that runs hold
    std::vector<std::unique_ptr<Run>> running_;
    std::vector<std::string> defects_;
};

}  // namespace orch::sim
