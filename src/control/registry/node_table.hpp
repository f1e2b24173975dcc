#pragma once

#include "api/node_messages.hpp"
#include "api/node_views.hpp"
#include "base/clock.hpp"
#include "base/load_cell_rows.hpp"
#include "base/result.hpp"
#include "control/registry/node_change.hpp"
#include "control/registry/node_record.hpp"
#include "control/registry/registry_config.hpp"
#include "control/view/cluster_view.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace orch::control::registry {

// One event's time on both clocks: deadlines use the first, answers to people the second.
struct Stamp {
    Instant at;
    WallTime wall;
};

struct RegisterOutcome {
    api::RegisterResponse response;
    std::uint64_t registration = 0;  // names this registration in set_reachability()
    view::Endpoint endpoint;         // to be asked GET /v2/node
};

struct HeartbeatOutcome {
    api::HeartbeatResponse response;
    bool stale = false;  // an older or equal seq: what it tells was not taken
};

// How a poll of GET /v2/node counts.
enum class PollOrigin {
    registered,   // never as a heartbeat
    static_node,  // added by hand: it makes the node known and keeps it Online
};

// Where a node is asked how it is.
struct PollTarget {
    view::Endpoint endpoint;
    bool is_static = false;
};

// How soon a changed view should reach the edges.
enum class Urgency { none, soon, at_once };

// All nodes and pools the control plane knows. Owner: the control thread. No sockets, no clock.
// Messages must have passed validate(). After each event: take_changes() to log and act,
// urgency() and view() to publish.
class NodeTable {
public:
    NodeTable(RegistryConfig config, Instant started_at);
    NodeTable(const NodeTable&) = delete;
    NodeTable& operator=(const NodeTable&) = delete;
    ~NodeTable() = default;

    // Idempotent; pool state of the same boot_id is kept. A new or moved node is unreachable until
    // set_reachability() says otherwise.
    // Errors: conflict (another machine holds this live node_id), invalid_params (api_version).
    Result<RegisterOutcome> register_node(const api::RegisterRequest& message, Stamp now);

    // A repeated or older one changes nothing; one that only a poll overtook is a sign of life.
    // Errors: not_found (the node is unknown, or its daemon started anew: it must register).
    Result<HeartbeatOutcome> heartbeat(
        const NodeId& node, const api::HeartbeatRequest& message, Stamp now
    );

    // Of a static node the address is `reached_at`, the URL that was polled; it is reachable there.
    // Errors: not_found (a registered node that is unknown), else as register_node.
    Result<HeartbeatOutcome> polled(
        const api::NodeStatusBody& body,
        PollOrigin origin,
        const view::Endpoint& reached_at,
        Stamp now
    );

    // A pool's state as its node tells it when it is told to change it, or, in the earlier wire
    // format, when asked: it takes part in no sequence and says nothing of models. Ignored when the
    // pool is not known.
    void pool_answered(const PoolKey& key, const api::PoolStatus& status, Instant now);

    // A node added by hand that has not answered yet: listed as Registering, unreachable, without
    // work. Nothing happens when the id is known.
    void expect_static(const NodeId& node, const view::Endpoint& endpoint, Stamp now);

    // No longer added by hand: the node is forgotten like any other, one that has never answered
    // at once. `why` is for the log.
    void release_static(const NodeId& node, const std::string& why, Instant now);

    // The answer of the node's address. Ignored when another registration came in between.
    void set_reachability(
        const NodeId& node, std::uint64_t registration, bool reachable, const std::string& reason
    );

    // The same of an address that was asked without a registration: ignored when the node has
    // another one by now.
    void set_reachability(
        const NodeId& node, const view::Endpoint& asked, bool reachable, const std::string& reason
    );

    // The address does not answer polls. That alone takes work from a node only as long as at least
    // half of the ready pools of each of its models keep theirs: when most nodes seem silent, it is
    // the one who listens that has a problem. Ignored as above.
    void address_silent(const NodeId& node, const view::Endpoint& asked, const std::string& reason);

    // The node has just answered: a connection that was refused before says nothing of it now.
    void clear_suspicion(const NodeId& node);

    // Errors: not_found.
    Result<void> deregister(const NodeId& node);

    // Cordoned nodes keep their work and get none. Cordons outlive the node's absence.
    // Errors: not_found.
    Result<void> set_cordoned(const NodeId& node, bool cordoned);
    void restore_cordons(const std::vector<NodeId>& nodes);  // at start, before any node is known

    // Where nodes must be approved: this one is, now and whenever it comes back. One that was added
    // by hand is approved by that. Errors: not_found.
    Result<void> approve(const NodeId& node);
    void restore_approvals(const std::vector<NodeId>& nodes);  // at start, likewise

    // Silent nodes go Offline exactly at their deadline, forgotten ones leave.
    void expire(Instant now);
    std::optional<Instant> next_deadline() const;

    // New settings count from the next event of each node; warm-up keeps its end.
    void set_config(const RegistryConfig& config);

    std::vector<NodeChange> take_changes();

    Urgency urgency() const { return urgency_; }

    // The present picture; the same pointer while nothing has changed. Resets urgency().
    view::ClusterViewPtr view();

    std::vector<api::NodeInfo> list(Instant now) const;  // all nodes in any state, by id
    Result<api::NodeInfo> get(const NodeId& node, Instant now) const;
    std::vector<api::PoolInfo> list_pools() const;  // by node, then pool
    Result<api::PoolInfo> get_pool(const PoolKey& key) const;

    std::vector<NodeId> nodes_with_pool(const PoolId& pool) const;

    // Nothing when the node is unknown.
    std::optional<PollTarget> find_poll_target(const NodeId& node) const;
    std::optional<NodeStatus> find_status(const NodeId& node) const;
    std::vector<PoolId> pools_of(const NodeId& node) const;

    const std::set<NodeId>& cordoned() const { return cordoned_; }

    const std::set<NodeId>& approved() const { return approved_; }

    // The short form. Errors: not_found, ambiguous_pool (the message names the nodes).
    Result<PoolKey> find_pool(const PoolId& pool) const;

private:
    using Nodes = std::map<NodeId, NodeRecord>;

    struct Admission {
        NodeRecord* node;
        bool fresh;  // new, or its daemon started anew: nothing is known of its pools
    };

    struct Blocks {
        std::vector<view::NodeBlockPtr> all;
        std::vector<std::uint32_t> changed;  // places of those that are new
    };

    Result<Admission> admit(
        const api::RegisterRequest& message, const view::Endpoint& endpoint, Stamp now
    );
    Result<NodeRecord*> find_reporting(const NodeId& id, const std::optional<std::string>& boot_id);
    Result<HeartbeatOutcome> polled_static(
        const api::NodeStatusBody& body, const view::Endpoint& reached_at, Stamp now
    );
    void take_report(NodeRecord& node, const api::HeartbeatRequest& message, Instant now);
    void declare_pools(NodeRecord& node, const std::vector<PoolId>& ids);
    void apply_pool(NodeRecord& node, const api::PoolReport& report, Instant now);
    void drop_pools_not_in(NodeRecord& node, const std::vector<api::PoolReport>& reports);
    void drop_pools(NodeRecord& node);
    void heard(NodeRecord& node, Stamp now);
    void settle_status(NodeRecord& node);
    bool waits_for_approval(const NodeRecord& node) const;
    void note_status(const NodeId& node, NodeStatus before, NodeStatus after);
    void set_reachable(NodeRecord& node, bool reachable, const std::string& reason);
    bool too_many_silent(const NodeRecord& node) const;
    bool too_many_silent(const NodeRecord& node, const std::string& model) const;
    void set_deadline(NodeRecord& node, std::optional<Instant> deadline);
    void go_offline(NodeRecord& node);
    void remove(Nodes::iterator node, std::string why);
    void changed(NodeRecord& node, Urgency urgency);
    void changed_if_seen(NodeRecord& node);
    void note(NodeChange::Kind kind, const NodeId& node, std::string detail = {});
    void note_pool(NodeChange::Kind kind, const PoolKey& key, std::string detail = {});
    MachineId machine_of(const NodeId& node) const;
    HeartbeatOutcome outcome(bool stale) const;
    bool replace_blocks(Blocks& blocks);
    Blocks build_blocks();
    Instant warm_up_until() const;

    RegistryConfig config_;
    Instant warm_up_until_;
    Nodes nodes_;
    LoadCellRows cells_;
    std::set<NodeId> cordoned_;
    std::set<NodeId> approved_;
    std::set<std::pair<Instant, NodeId>> deadlines_;
    std::vector<NodeChange> changes_;
    std::uint64_t registrations_ = 0;
    bool reported_ = false;     // some node has sent a report since the start
    std::uint64_t lives_ = 0;   // of all pools so far
    bool reshaped_ = true;      // nodes, pools or models may differ from view_'s
    std::set<NodeId> changed_;  // since view_ was made
    Urgency urgency_ = Urgency::soon;
    view::ClusterViewPtr view_;
};

}  // namespace orch::control::registry
