#pragma once

#include "async/alarm.hpp"
#include "async/async_clock.hpp"
#include "async/task_group.hpp"
#include "base/log.hpp"
#include "control/fleet/node_status_client.hpp"
#include "control/fleet/poll_planner.hpp"
#include "control/fleet/poll_probe.hpp"
#include "control/fleet/registry_backend.hpp"
#include "control/fleet/static_nodes.hpp"

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace orch::control::fleet {

// Asks every node, at its turn, how it is. Of a node that joined by itself the answer is one more
// report, never a heartbeat; of one that was added by hand it is all that is ever heard. A node
// whose address fails three times in a row is unreachable until it answers, and has no work unless
// too many others seem silent too. Control thread.
class NodePoller {
public:
    // One failure is an accident; from here on it gets no work.
    static constexpr std::size_t kFailuresUntilUnreachable = 3;

    // Those whose turns come within this part of the interval are asked together: the thread wakes
    // less often, and nobody is asked much later.
    static constexpr int kTogetherPart = 50;

    // What an earlier node that nobody knows yet is asked for: it cannot list its pools, and its
    // users had one of this name.
    static constexpr std::string_view kEarlierPool = "default";

    struct Parts {
        async::AsyncClock& clock;
        async::TaskGroup& tasks;
        NodeStatusSource& source;
        RegistryBackend& registry;
        StaticNodes& statics;
        PollProbe& probe;
    };

    // Listens to the registry: nodes that join are polled, those that leave are not.
    NodePoller(PollPlan plan, std::uint64_t seed, Parts parts, Logger log);

    void start();

    void set_interval(Duration interval);

    // The URL stands in `statics`. Asked first now, unless it has answered just before.
    void add_static(const std::string& url, bool answered);
    void remove_static(const std::string& url);

    // Takes in what the node at a static URL answered, its name included.
    // Errors: as NodeTable::polled(); conflict for a name that another static URL has;
    // node_unavailable when it told nothing that only a node knows.
    Result<void> take_static(const std::string& url, const StatusAnswer& answer);

    // Something went wrong at this node: it is asked now. If it answers, its pools are not suspect
    // any more.
    void ask_now(const NodeId& node);

    // Of a static node: those it was known with, or the one to try.
    static std::vector<PoolId> pools_to_ask(const std::vector<PoolId>& known);

    std::size_t targets() const { return planner_.size(); }

private:
    void hear(const registry::NodeChange& change);
    Task<void> run();
    Instant next_pass() const;
    void wake_for_earlier();
    Task<void> poll(PollKey key);
    Task<bool> poll_static(std::string url);
    Task<bool> poll_registered(NodeId node);
    bool take(const NodeId& node, const view::Endpoint& endpoint, const StatusAnswer& answer);
    void count(
        const NodeId& node,
        const std::vector<PoolId>& pools,
        const StatusAnswer& answer,
        Instant since
    );
    void failed(const NodeId& node, const view::Endpoint& endpoint, const std::string& reason);

    Parts parts_;
    Logger log_;
    PollPlanner planner_;
    async::Alarm alarm_;
    Instant wakes_at_{};                      // by itself
    std::map<NodeId, std::size_t> failures_;  // in a row
};

}  // namespace orch::control::fleet
