#pragma once

#include "api/node_messages.hpp"
#include "api/node_views.hpp"
#include "async/alarm.hpp"
#include "async/async_clock.hpp"
#include "async/task_group.hpp"
#include "base/log.hpp"
#include "control/fleet/reachability.hpp"
#include "control/fleet/registry_probe.hpp"
#include "control/registry/node_table.hpp"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace orch::control::fleet {

// Runs the node table: takes in what nodes say, checks that they can be reached, lets silent ones
// expire, logs and counts what changes and publishes the picture of the cluster. Control thread.
class RegistryBackend {
public:
    // At most one picture in this time, unless something was removed.
    static constexpr Duration kPublishWithin = std::chrono::milliseconds(20);

    using OnView = std::function<void(const view::ClusterViewPtr&)>;
    using OnChange = std::function<void(const registry::NodeChange&)>;

    struct Parts {
        async::AsyncClock& clock;
        async::TaskGroup& tasks;
        NodeCheck& reachability;
        RegistryProbe& probe;
    };

    RegistryBackend(registry::RegistryConfig config, Parts parts, OnView on_view, Logger log);

    // Hears of every change, after the log. Before start().
    void on_change(OnChange hear) { on_change_.push_back(std::move(hear)); }

    // Begins to expire and to publish.
    void start();

    Result<api::RegisterResponse> register_node(const api::RegisterRequest& message);
    Result<api::HeartbeatResponse> heartbeat(
        const NodeId& node, const api::HeartbeatRequest& message
    );
    Result<void> deregister(const NodeId& node);

    // Answers with what the node has become. Errors: not_found.
    Result<api::NodeInfo> set_cordoned(const NodeId& node, bool cordoned);
    void restore_cordons(const std::vector<NodeId>& nodes);  // before start()

    // Answers with what the node has become. Errors: not_found.
    Result<api::NodeInfo> approve(const NodeId& node);
    void restore_approvals(const std::vector<NodeId>& nodes);  // before start()

    // What polls bring; errors as NodeTable::polled().
    Result<void> polled(
        const api::NodeStatusBody& body,
        registry::PollOrigin origin,
        const view::Endpoint& reached_at
    );
    void pool_answered(const PoolKey& key, const api::PoolStatus& status);
    void address_answered(const NodeId& node, const view::Endpoint& asked);
    void address_failed(const NodeId& node, const view::Endpoint& asked, const std::string& reason);
    void address_silent(const NodeId& node, const view::Endpoint& asked, const std::string& reason);

    // Nodes added by hand, as NodeTable has them.
    void expect_static(const NodeId& node, const view::Endpoint& endpoint);
    void release_static(const NodeId& node, const std::string& why);
    void set_config(const registry::RegistryConfig& config);

    // What did not get as far as the table, for the counters; outcome unauthorized or invalid.
    void refused_heartbeat(const NodeId& node, std::string_view outcome);

    void refused_registration() { parts_.probe.registered(false); }

    // For whoever asks what the cluster looks like. A change that still waits to be published goes
    // out first: what an answer shows ready, a request that follows it is given.
    const registry::NodeTable& table();

    // For our own loops, which need no picture.
    const registry::NodeTable& unpublished() const { return table_; }

    Instant now() const { return parts_.clock.now(); }

private:
    registry::Stamp stamp() const { return {parts_.clock.now(), parts_.clock.wall()}; }

    void settle();
    void log_change(const registry::NodeChange& change);
    void publish();
    void publish_soon();
    Task<void> publish_at(Instant due);
    Task<void> expire_loop();
    Task<void> reach(NodeId node, registry::RegisterOutcome outcome);

    Parts parts_;
    Duration heartbeat_interval_;
    registry::NodeTable table_;
    OnView on_view_;
    std::vector<OnChange> on_change_;
    Logger log_;
    async::Alarm expiry_;
    Instant expires_next_ = Instant::max();  // when the expiry loop wakes by itself
    Instant published_{};
    bool publishing_later_ = false;
    std::map<NodeId, std::uint64_t> registrations_;  // the latest of each node
};

}  // namespace orch::control::fleet
