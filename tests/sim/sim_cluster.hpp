#pragma once

#include "async/event_loop.hpp"
#include "async/sim_clock.hpp"
#include "async/task_group.hpp"
#include "base/log_capture.hpp"
#include "base/rng.hpp"
#include "control/fleet/registry_backend.hpp"
#include "node/enroll/enroll_fsm.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace orch::sim {

// A node of the simulation: its enrolment, and what it has told so far.
struct SimNode {
    SimNode(std::string name, Rng& rng) : id(std::move(name)), fsm({}, sequence, rng) {}

    NodeId id;
    std::string host = "10.0.0.1";  // of the address it advertises
    node::enroll::BeatSequence sequence;
    node::enroll::EnrollFsm fsm;
    std::optional<Instant> wake;
    Instant silent_until{};             // nothing of what it sends arrives before
    std::optional<Instant> last_heard;  // by the present control plane: its last heartbeat
};

// A control plane's registry and nodes that join it, in virtual time. What a node sends arrives at
// once or not at all. Everything runs on the caller's thread, inside run_until().
class SimCluster {
public:
    // What node `index` says of its pools.
    using Pools = std::function<std::vector<api::PoolReport>(std::size_t index)>;
    using OnView = control::fleet::RegistryBackend::OnView;

    SimCluster(
        std::uint64_t seed,
        std::size_t nodes,
        Pools pools,
        OnView on_view,
        control::registry::RegistryConfig config = {}
    );
    ~SimCluster();
    SimCluster(const SimCluster&) = delete;
    SimCluster& operator=(const SimCluster&) = delete;

    // Starts node `index` now.
    void start_node(std::size_t index);

    // A new orchestratord, which knows nobody.
    void restart_control();

    // Ends what the control plane does; nothing of it goes on behind this.
    void end_tasks();

    void run_until(Instant end);

    void run_for(Duration duration) { run_until(clock().now() + duration); }

    Instant now() const { return clock_.now(); }

    SimNode& node(std::size_t index) { return *nodes_[index]; }

    std::size_t size() const { return nodes_.size(); }

    NodeStatus status(std::size_t index);
    bool knows(std::size_t index);

    const control::view::ClusterViewPtr& view() const { return view_; }

    Rng& rng() { return rng_; }

    async::SimClock& clock() { return clock_; }

    async::EventLoop& control_loop() { return loop_; }

    async::TaskGroup& tasks() { return *tasks_; }

    metrics::Registry& metrics() { return metrics_; }

    control::fleet::RegistryBackend& registry() { return *backend_; }

    LogSink& sink() { return sink_; }

    std::size_t bugs() const { return bugs_; }

    std::uint64_t heartbeats() const { return heartbeats_; }

private:
    class AnswersAtOnce final : public control::fleet::NodeCheck {
        Task<control::fleet::Reachability> check(NodeId, control::view::Endpoint) override {
            co_return control::fleet::Reachability{true, {}};
        }
    };

    void drive(std::size_t index, const node::enroll::EnrollEvent& event);
    void wake_at(std::size_t index, Instant at);
    node::enroll::EnrollEvent deliver_registration(std::size_t index);
    node::enroll::EnrollEvent deliver_heartbeat(std::size_t index, std::uint64_t seq);

    Rng rng_;
    Pools pools_;
    OnView on_view_;
    control::registry::RegistryConfig config_;
    async::EventLoop loop_;
    async::SimClock clock_{loop_.context()};
    CapturedLog log_;
    LogSink sink_{LogConfig{LogLevel::error, LogFormat::json, {}, {}}, clock_, log_};
    metrics::Registry metrics_;
    std::size_t bugs_ = 0;
    std::unique_ptr<async::TaskGroup> tasks_;
    AnswersAtOnce answers_at_once_;
    std::unique_ptr<control::fleet::RegistryProbe> probe_;
    std::unique_ptr<control::fleet::RegistryBackend> backend_;
    control::view::ClusterViewPtr view_ = std::make_shared<control::view::ClusterView>();
    std::vector<std::unique_ptr<SimNode>> nodes_;
    std::set<std::pair<Instant, std::size_t>> wakes_;
    std::uint64_t heartbeats_ = 0;
};

// A ready chat pool.
api::PoolReport sim_pool(std::string id, std::string model, std::uint32_t slots);

}  // namespace orch::sim
