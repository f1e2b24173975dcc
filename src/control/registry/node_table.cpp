#include "control/registry/node_table.hpp"

#include "api/http_address.hpp"
#include "control/registry/api_version.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace orch::control::registry {
namespace {

using Kind = NodeChange::Kind;

bool serves_the_same(const api::PoolReport& a, const api::PoolReport& b) {
    return a.served_name == b.served_name && a.models_available == b.models_available &&
           a.kind == b.kind;
}

// An engine that starts again within one report shows by its process alone.
bool same_processes(const api::PoolReport& a, const api::PoolReport& b) {
    return std::ranges::equal(
        a.replicas, b.replicas, {}, &api::ReplicaReport::pid, &api::ReplicaReport::pid
    );
}

bool started_anew(const NodeRecord& known, const api::RegisterRequest& message) {
    return known.registration.boot_id != message.boot_id ||
           known.registration.machine_id != message.machine_id;
}

bool is_newer(std::optional<std::uint64_t> seq, std::optional<std::uint64_t> known) {
    return !seq || !known || *seq > *known;
}

api::PoolReport unready_report(const PoolId& id) {
    api::PoolReport report;
    report.pool_id = id;
    return report;
}

}  // namespace

NodeTable::NodeTable(RegistryConfig config, Instant started_at)
    : config_(config), warm_up_until_(started_at + config.node_timeout) {}

Result<RegisterOutcome> NodeTable::register_node(const api::RegisterRequest& message, Stamp now) {
    const auto address = api::parse_http_address(message.address, "address");
    if (!address) {
        return std::unexpected(address.error());
    }
    const auto admitted =
        admit(message, view::Endpoint{address->tls, address->host, address->port}, now);
    if (!admitted) {
        return std::unexpected(admitted.error());
    }
    NodeRecord& node = *admitted->node;
    RegisterOutcome outcome;
    outcome.response.message = admitted->fresh ? "registered" : "registered again";
    outcome.response.node_id = message.node_id;
    outcome.response.next_heartbeat_ms =
        static_cast<std::uint64_t>(to_ms(config_.heartbeat_interval));
    outcome.registration = node.registration_number;
    outcome.endpoint = node.endpoint;
    return outcome;
}

Result<NodeTable::Admission> NodeTable::admit(
    const api::RegisterRequest& message, const view::Endpoint& endpoint, Stamp now
) {
    if (auto understood = check_api_version(message.api_version); !understood) {
        return std::unexpected(understood.error());
    }
    const auto known = nodes_.find(message.node_id);
    const bool taken = known != nodes_.end() && known->second.status != NodeStatus::offline &&
                       known->second.registration.machine_id != message.machine_id;
    if (taken) {
        return fail(
            Errc::conflict,
            fmt::format(
                "node_id '{}' is held by the live machine '{}'",
                message.node_id.str(),
                known->second.registration.machine_id.str()
            )
        );
    }
    const bool fresh = known == nodes_.end() || started_anew(known->second, message);
    NodeRecord& node = nodes_[message.node_id];
    if (fresh) {
        drop_pools(node);
        node.seq.reset();
        node.beat_seq.reset();
        node.registered_at = now.wall;
        note(Kind::registered, message.node_id);
    }
    if (fresh || node.status == NodeStatus::offline) {
        node.status = NodeStatus::registering;
    }
    if (fresh || node.endpoint != endpoint) {
        node.reachable = false;
        node.unreachable_reason = "its address has not answered yet";
    }
    node.registration = message;
    node.endpoint = endpoint;
    node.registration_number = ++registrations_;
    node.cordoned = cordoned_.contains(message.node_id);
    if (!message.models.empty()) {
        node.models = message.models;
    }
    declare_pools(node, message.pools);
    set_deadline(node, now.at + config_.node_timeout);
    changed(node, Urgency::soon);
    return Admission{&node, fresh};
}

Result<NodeRecord*> NodeTable::find_reporting(
    const NodeId& id, const std::optional<std::string>& boot_id
) {
    const auto known = nodes_.find(id);
    if (known == nodes_.end()) {
        return fail(
            Errc::not_found, fmt::format("the node '{}' is unknown: register first", id.str())
        );
    }
    const auto& registered = known->second.registration.boot_id;
    if (boot_id && registered && *boot_id != *registered) {
        return fail(
            Errc::not_found, fmt::format("the node '{}' started anew: register first", id.str())
        );
    }
    return &known->second;
}

Result<HeartbeatOutcome> NodeTable::heartbeat(
    const NodeId& node, const api::HeartbeatRequest& message, Stamp now
) {
    const auto found = find_reporting(node, message.boot_id);
    if (!found) {
        return std::unexpected(found.error());
    }
    NodeRecord& record = **found;
    if (!is_newer(message.seq, record.beat_seq)) {
        return outcome(true);
    }
    record.beat_seq = message.seq ? message.seq : record.beat_seq;
    // The answer to a poll may overtake it: what it tells is old then, that it came is not.
    const bool overtaken = !is_newer(message.seq, record.seq);
    if (!overtaken) {
        take_report(record, message, now.at);
    }
    heard(record, now);
    settle_status(record);
    return outcome(overtaken);
}

// A node need not count its answers to polls: an equal seq is taken, only an older one loses.
Result<HeartbeatOutcome> NodeTable::polled(
    const api::NodeStatusBody& body, PollOrigin origin, const view::Endpoint& reached_at, Stamp now
) {
    if (origin == PollOrigin::static_node) {
        return polled_static(body, reached_at, now);
    }
    const auto found = find_reporting(body.node_id, body.boot_id);
    if (!found) {
        return std::unexpected(found.error());
    }
    NodeRecord& record = **found;
    if (body.seq && record.seq && *body.seq < *record.seq) {
        return outcome(true);
    }
    take_report(record, api::heartbeat_part(body), now.at);
    if (record.online()) {
        settle_status(record);
    }
    return outcome(false);
}

Result<HeartbeatOutcome> NodeTable::polled_static(
    const api::NodeStatusBody& body, const view::Endpoint& reached_at, Stamp now
) {
    api::RegisterRequest registration = api::register_part(body);
    registration.address =
        api::to_string(api::HttpAddress{reached_at.tls, reached_at.host, reached_at.port});
    const auto admitted = admit(registration, reached_at, now);
    if (!admitted) {
        return std::unexpected(admitted.error());
    }
    NodeRecord& node = *admitted->node;
    node.is_static = true;
    const bool stale = body.seq && node.seq && *body.seq < *node.seq;
    if (!stale) {
        take_report(node, api::heartbeat_part(body), now.at);
    }
    set_reachable(node, true, "");
    heard(node, now);
    settle_status(node);
    return outcome(stale);
}

void NodeTable::expect_static(const NodeId& node, const view::Endpoint& endpoint, Stamp now) {
    const auto [place, added] = nodes_.try_emplace(node);
    if (!added) {
        return;
    }
    NodeRecord& record = place->second;
    record.registration.node_id = node;
    record.registration.machine_id = MachineId(node.str());
    record.registration.address =
        api::to_string(api::HttpAddress{endpoint.tls, endpoint.host, endpoint.port});
    record.endpoint = endpoint;
    record.is_static = true;
    record.registered_at = now.wall;
    record.unreachable_reason = "it has not answered yet";
    note(Kind::expected, node, record.registration.address);
    changed(record, Urgency::soon);
}

void NodeTable::release_static(const NodeId& node, const std::string& why, Instant now) {
    const auto known = nodes_.find(node);
    if (known == nodes_.end() || !known->second.is_static) {
        return;
    }
    if (!known->second.heard_at) {
        remove(known, why);
        return;
    }
    known->second.is_static = false;
    if (!known->second.deadline) {
        set_deadline(known->second, now + config_.forget_after);
    }
}

void NodeTable::take_report(NodeRecord& node, const api::HeartbeatRequest& message, Instant now) {
    if (!std::exchange(reported_, true)) {
        changed(node, Urgency::soon);  // the warm-up may have ended
    }
    node.seq = message.seq ? message.seq : node.seq;
    drop_pools_not_in(node, message.pools);
    for (const api::PoolReport& report : message.pools) {
        apply_pool(node, report, now);
    }
    node.models = message.models.value_or(node.models);
    node.gpus = message.gpus.value_or(node.gpus);
    node.disk_free_bytes = message.disk_free_bytes;
    changed_if_seen(node);
}

void NodeTable::declare_pools(NodeRecord& node, const std::vector<PoolId>& ids) {
    for (const PoolId& id : ids) {
        if (!node.pools.contains(id)) {
            node.pools.emplace(id, PoolRecord{unready_report(id), cells_.make()});
            note_pool(Kind::pool_added, {node.registration.node_id, id});
        }
    }
}

void NodeTable::apply_pool(NodeRecord& node, const api::PoolReport& report, Instant now) {
    const PoolKey key{node.registration.node_id, report.pool_id};
    const auto [at, added] = node.pools.try_emplace(report.pool_id);
    PoolRecord& pool = at->second;
    if (added) {
        pool.report = unready_report(report.pool_id);
        pool.cell = cells_.make();
    }
    const bool was_ready = takes_work(pool.report);
    const bool other_models = !serves_the_same(pool.report, report);
    const bool same_engines = was_ready && same_processes(pool.report, report);
    pool.report = report;
    pool.cell->set_capacity(claimable_slots(report, pool.cell->claimed()));
    if (added || other_models) {
        note_pool(Kind::pool_added, key, report.served_name.value_or(""));
    }
    if (takes_work(report) && !same_engines) {
        pool.life = ++lives_;
        pool.cell->note_success();  // what failed were other engines
    }
    if (takes_work(report)) {
        pool.left_at.reset();
    } else if (was_ready) {
        pool.left_at = now;
    }
    if (takes_work(report) && !was_ready) {
        note_pool(Kind::pool_ready, key);
    } else if (!takes_work(report) && was_ready) {
        note_pool(Kind::pool_unready, key, report.last_error.value_or(""));
        changed(node, Urgency::at_once);
    }
}

void NodeTable::drop_pools_not_in(NodeRecord& node, const std::vector<api::PoolReport>& reports) {
    std::erase_if(node.pools, [&](const auto& entry) {
        if (std::ranges::find(reports, entry.first, &api::PoolReport::pool_id) != reports.end()) {
            return false;
        }
        note_pool(Kind::pool_removed, {node.registration.node_id, entry.first});
        changed(node, Urgency::at_once);
        return true;
    });
}

void NodeTable::drop_pools(NodeRecord& node) {
    drop_pools_not_in(node, {});
}

void NodeTable::heard(NodeRecord& node, Stamp now) {
    node.heard_at = now.at;
    node.heard_wall = now.wall;
    set_deadline(node, now.at + config_.node_timeout);
}

bool NodeTable::waits_for_approval(const NodeRecord& node) const {
    return config_.approve_nodes && !config_.home && !node.is_static &&
           !approved_.contains(node.registration.node_id);
}

// Of a node that was heard: Pending before Failed before Draining before Online.
void NodeTable::settle_status(NodeRecord& node) {
    const NodeStatus before = node.status;
    node.status = waits_for_approval(node) ? NodeStatus::pending
                  : node.crash_loops()     ? NodeStatus::failed
                  : node.cordoned          ? NodeStatus::draining
                                           : NodeStatus::online;
    if (node.status != before) {
        note_status(node.registration.node_id, before, node.status);
        const bool takes_work = node.status == NodeStatus::online;
        changed(node, takes_work ? Urgency::soon : Urgency::at_once);
    }
    if (before == NodeStatus::offline) {
        // Nobody saw what became of its engines meanwhile.
        for (auto& [id, pool] : node.pools) {
            pool.life = ++lives_;
        }
    }
}

void NodeTable::note_status(const NodeId& node, NodeStatus before, NodeStatus after) {
    if (before == NodeStatus::registering || before == NodeStatus::offline) {
        note(Kind::online, node);
    }
    if (before == NodeStatus::pending) {
        note(Kind::approved, node);
    }
    if (before == NodeStatus::failed) {
        note(Kind::recovered, node);
    }
    if (after == NodeStatus::pending) {
        note(Kind::pending, node, "llorch nodes approve " + node.str());
    } else if (after == NodeStatus::failed) {
        note(Kind::failed, node, "every replica of every pool crash-loops");
    } else if (after == NodeStatus::draining) {
        note(Kind::draining, node);
    } else if (before == NodeStatus::draining) {
        note(Kind::uncordoned, node);
    }
}

Result<void> NodeTable::deregister(const NodeId& node) {
    const auto known = nodes_.find(node);
    if (known == nodes_.end()) {
        return fail(Errc::not_found, fmt::format("the node '{}' is unknown", node.str()));
    }
    remove(known, "deregistered");
    return {};
}

Result<void> NodeTable::set_cordoned(const NodeId& node, bool cordoned) {
    const auto known = nodes_.find(node);
    if (known == nodes_.end()) {
        return fail(Errc::not_found, fmt::format("the node '{}' is unknown", node.str()));
    }
    if (cordoned) {
        cordoned_.insert(node);
    } else {
        cordoned_.erase(node);
    }
    known->second.cordoned = cordoned;
    if (known->second.online()) {
        settle_status(known->second);
    }
    return {};
}

void NodeTable::restore_cordons(const std::vector<NodeId>& nodes) {
    cordoned_.insert(nodes.begin(), nodes.end());
}

Result<void> NodeTable::approve(const NodeId& node) {
    const auto known = nodes_.find(node);
    if (known == nodes_.end()) {
        return fail(Errc::not_found, fmt::format("the node '{}' is unknown", node.str()));
    }
    approved_.insert(node);
    if (known->second.online()) {
        settle_status(known->second);
    }
    return {};
}

void NodeTable::restore_approvals(const std::vector<NodeId>& nodes) {
    approved_.insert(nodes.begin(), nodes.end());
}

void NodeTable::expire(Instant now) {
    while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
        const auto node = nodes_.find(deadlines_.begin()->second);
        if (node->second.status == NodeStatus::offline) {
            remove(node, "forgotten");
        } else {
            go_offline(node->second);
        }
    }
}

// Nodes added by hand stay listed for as long as they are configured.
void NodeTable::go_offline(NodeRecord& node) {
    const Instant silent_at = *node.deadline;
    node.status = NodeStatus::offline;
    note(Kind::offline, node.registration.node_id);
    set_deadline(
        node, node.is_static ? std::nullopt : std::optional(silent_at + config_.forget_after)
    );
    changed(node, Urgency::at_once);
}

std::optional<Instant> NodeTable::next_deadline() const {
    return deadlines_.empty() ? std::nullopt : std::optional(deadlines_.begin()->first);
}

void NodeTable::set_deadline(NodeRecord& node, std::optional<Instant> deadline) {
    const NodeId& id = node.registration.node_id;
    if (node.deadline) {
        deadlines_.erase({*node.deadline, id});
    }
    node.deadline = deadline;
    if (deadline) {
        deadlines_.emplace(*deadline, id);
    }
}

void NodeTable::remove(Nodes::iterator node, std::string why) {
    set_deadline(node->second, std::nullopt);
    note(Kind::removed, node->first, std::move(why));
    nodes_.erase(node);
    reshaped_ = true;
    urgency_ = Urgency::at_once;
}

void NodeTable::set_config(const RegistryConfig& config) {
    const bool approve_nodes = config_.approve_nodes;
    config_ = config;
    config_.approve_nodes = approve_nodes;
}

void NodeTable::changed(NodeRecord& node, Urgency urgency) {
    node.block.reset();
    changed_.insert(node.registration.node_id);
    urgency_ = std::max(urgency_, urgency);
}

// Most reports say what the one before said: then there is nothing to publish.
void NodeTable::changed_if_seen(NodeRecord& node) {
    if (node.block != nullptr && *make_block(node) != *node.block) {
        changed(node, Urgency::soon);
    }
}

void NodeTable::note(NodeChange::Kind kind, const NodeId& node, std::string detail) {
    changes_.push_back({kind, node, {}, std::move(detail), machine_of(node)});
}

void NodeTable::note_pool(NodeChange::Kind kind, const PoolKey& key, std::string detail) {
    changes_.push_back({kind, key.node, key.pool, std::move(detail), machine_of(key.node)});
}

MachineId NodeTable::machine_of(const NodeId& node) const {
    const auto found = nodes_.find(node);
    return found == nodes_.end() ? MachineId{} : found->second.registration.machine_id;
}

std::vector<NodeChange> NodeTable::take_changes() {
    return std::exchange(changes_, {});
}

HeartbeatOutcome NodeTable::outcome(bool stale) const {
    HeartbeatOutcome outcome;
    outcome.response.next_heartbeat_ms =
        static_cast<std::uint64_t>(to_ms(config_.heartbeat_interval));
    outcome.stale = stale;
    return outcome;
}

}  // namespace orch::control::registry
