#pragma once

#include "api/node_views.hpp"
#include "async/async_clock.hpp"
#include "async/offload.hpp"
#include "async/task.hpp"
#include "base/log.hpp"
#include "control/fleet/fleet_state.hpp"
#include "control/fleet/node_poller.hpp"
#include "control/fleet/registry_backend.hpp"
#include "control/fleet/static_nodes.hpp"

#include <string>
#include <vector>

namespace orch::control::fleet {

struct AddedNode {
    api::NodeInfo node;
    bool created = false;  // false: it was added before
};

// What operators do to the list of nodes: add one by hand, take one off, cordon one. What they said
// is on the disk before they are answered. Control thread.
class FleetBackend {
public:
    struct Parts {
        async::AsyncClock& clock;
        async::BlockingPool& disk;  // of one thread: saves happen in order
        NodeStatusSource& source;
        RegistryBackend& registry;
        StaticNodes& statics;
        NodePoller& poller;
    };

    // `state_path`: where fleet.json is kept.
    FleetBackend(std::string state_path, Parts parts, Logger log);

    // Before the registry and the poller start. `configured`: the static nodes of the settings.
    void restore(const FleetState& state, const std::vector<api::HttpAddress>& configured);

    // Asks the URL for the node that answers there, and adds it.
    // Errors: invalid_params naming `url`, node_unavailable with what came instead of a node,
    // conflict for a name that another node has, internal when it cannot be saved.
    Task<Result<AddedNode>> add_node(std::string url);

    // Takes a node off the list: one that was added is not polled any more; another one leaves, as
    // if it had said so, and comes back if it still runs.
    // Errors: not_found; conflict for a node that the settings name.
    Task<Result<void>> remove_node(NodeId node);

    // Errors: not_found; internal when it cannot be saved.
    Task<Result<api::NodeInfo>> set_cordoned(NodeId node, bool cordoned);

    // A pending node takes work from now on. Errors: as set_cordoned().
    Task<Result<api::NodeInfo>> approve(NodeId node);

    // Cordons the node and waits, `limit` at most, until no work of it is left; the answer tells.
    // Errors: as set_cordoned(), and not_found when it leaves meanwhile.
    Task<Result<api::NodeInfo>> drain(NodeId node, Duration limit);

private:
    Task<Result<void>> save();
    Task<Result<api::NodeInfo>> saved(Result<api::NodeInfo> changed);
    Result<api::NodeInfo> show(const NodeId& node);

    std::string state_path_;
    Parts parts_;
    Logger log_;
};

}  // namespace orch::control::fleet
