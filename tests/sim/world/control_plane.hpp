#pragma once

#include "control/fleet/load_probe.hpp"
#include "control/fleet/pool_backend.hpp"
#include "control/fleet/registry_backend.hpp"
#include "control/gateway/dispatch_loop.hpp"
#include "control/gateway/edge_state.hpp"
#include "net/edge.hpp"
#include "sim/world/client_run.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace orch::sim::world {

// One life of orchestratord: the real registry loop, dispatcher and edges, each on an io_context of
// its own that the simulation polls, as threads that may be late.
class ControlPlane {
public:
    ControlPlane(Hub& hub, const std::vector<NodeId>& cordoned);
    ~ControlPlane();  // everything of it ends at once
    ControlPlane(const ControlPlane&) = delete;
    ControlPlane& operator=(const ControlPlane&) = delete;

    // --- what arrives from nodes
    void register_node(
        api::RegisterRequest message, std::function<void(const Result<api::RegisterResponse>&)> back
    );
    void heartbeat(
        NodeId node,
        api::HeartbeatRequest message,
        std::function<void(const Result<api::HeartbeatResponse>&)> back
    );
    void deregister(NodeId node, std::function<void()> back);
    void deliver(const std::shared_ptr<Call>& call, WireEvent event);

    // --- what clients and operators do
    void arrive(Request& request);
    void leave(const Request& request);
    void cordon(const NodeId& node, bool cordoned);

    // Waits are answered with an error and no more is taken in, as before a planned end.
    void close_queue();

    std::vector<NodeId> cordoned() const;

    // --- threads
    void pump();
    void stall(Duration how_long);
    void stall_edge(std::size_t edge, Duration how_long);
    void post(std::size_t edge, std::function<void()> work);

    // --- for runs
    control::gateway::EdgeState& edge(std::size_t index) { return edges_[index]->state; }

    Executor executor(std::size_t index) { return edges_[index]->edge.loop().executor(); }

    async::TaskGroup& edge_tasks(std::size_t index) { return edges_[index]->tasks; }

    control::gateway::DispatchLoop& dispatch() { return *dispatch_; }

    void claimed(
        const ClientRun& run,
        const control::view::NodeBlock& node,
        const control::view::PoolBlock& pool,
        std::size_t edge,
        bool from_queue
    );
    void released(const LoadCell& cell);
    void parked(ClientRun& run);
    void unparked(ClientRun& run);
    void finished(ClientRun& run);
    void tried_again(std::size_t edge);

    // --- the rules, as far as they are seen from here
    void look_at_cells();
    void look_at_queue();
    void look_at_silence();

    // What is not as it ought to be when no work is left and all nodes run.
    std::optional<std::string> find_unrest() const;

    std::size_t runs() const { return runs_.size(); }

    const control::fleet::RegistryBackend& registry() const { return *registry_; }

private:
    class Check;
    class Loads;

    struct EdgeUnit {
        EdgeUnit(Hub& hub, ControlPlane& control, std::size_t index);

        net::Edge edge;
        control::gateway::EdgeState state;
        async::TaskGroup tasks;
        Instant stalled_until{};
        Instant idle_at{};          // everything that was posted until then is done
        std::deque<Instant> tries;  // second ones, of the last seconds
        std::deque<Instant> ends;   // of requests, in the last seconds
        std::size_t running = 0;
    };

    struct Heard {
        Instant at{};
        std::string boot;
        std::uint64_t seq = 0;
    };

    async::TaskGroup::OnBug report();
    void publish(const control::view::ClusterViewPtr& view);
    static void hold_back(const control::view::ClusterView& view);
    void note_change(const control::registry::NodeChange& change);
    bool late() const;
    void check_place(
        const control::view::NodeBlock& node,
        const control::view::PoolBlock& pool,
        const ClientRun& run,
        Instant known_at
    );
    void check_turn(const ClientRun& run, const control::view::PoolBlock& pool);
    bool is_shunned(const ClientRun& waiting, const control::view::PoolBlock& pool) const;

    struct Offers {
        bool trusted = false;  // places that are not suspect, full or not
        bool free_trusted = false;
        bool free_suspect = false;
    };

    Offers offers(const ClientRun& run) const;
    bool left_at_rest(const ClientRun& run) const;

    void judge_turns();

    using Place = std::pair<Instant, std::size_t>;

    // One request was placed before another that waited.
    struct Overtaken {
        std::size_t placed;
        std::size_t waiting;
        Instant parked_at;
    };

    Hub& hub_;
    async::EventLoop loop_;
    metrics::Registry metrics_;
    async::TaskGroup tasks_;
    std::unique_ptr<control::fleet::NodeCheck> check_;
    control::fleet::RegistryProbe probe_;
    std::unique_ptr<control::gateway::DispatchLoop> dispatch_;
    std::unique_ptr<control::fleet::RegistryBackend> registry_;
    std::map<PoolKey, Instant> asked_to_load_;  // the last time
    std::unique_ptr<control::fleet::NodePools> loads_;
    control::fleet::LoadProbe load_probe_;
    std::unique_ptr<control::fleet::PoolBackend> pools_;
    std::vector<std::unique_ptr<EdgeUnit>> edges_;
    std::map<std::size_t, std::shared_ptr<ClientRun>> runs_;  // by request
    std::vector<std::shared_ptr<ClientRun>> finished_;
    control::view::ClusterViewPtr view_;
    std::unordered_map<const LoadCell*, std::uint32_t> held_;
    std::map<std::string, std::map<Place, ClientRun*>> waiting_;  // by model
    std::map<NodeId, Instant> closed_nodes_;                      // take no work, since when
    std::map<PoolKey, Instant> closed_pools_;
    std::map<NodeId, Heard> heard_;
    std::vector<Overtaken> overtaken_;  // to be judged
    Instant started_at_;
    Instant stalled_until_{};
    Instant idle_at_{};
    Instant last_late_{};
};

}  // namespace orch::sim::world
