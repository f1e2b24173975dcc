#include "control/registry/node_table.hpp"

#include <algorithm>
#include <utility>

namespace orch::control::registry {

using Kind = NodeChange::Kind;

void NodeTable::set_reachability(
    const NodeId& node, std::uint64_t registration, bool reachable, const std::string& reason
) {
    const auto known = nodes_.find(node);
    if (known != nodes_.end() && known->second.registration_number == registration) {
        set_reachable(known->second, reachable, reason);
    }
}

void NodeTable::set_reachability(
    const NodeId& node, const view::Endpoint& asked, bool reachable, const std::string& reason
) {
    const auto known = nodes_.find(node);
    if (known != nodes_.end() && known->second.endpoint == asked) {
        set_reachable(known->second, reachable, reason);
    }
}

void NodeTable::address_silent(
    const NodeId& node, const view::Endpoint& asked, const std::string& reason
) {
    const auto known = nodes_.find(node);
    if (known == nodes_.end() || known->second.endpoint != asked) {
        return;
    }
    NodeRecord& record = known->second;
    const bool worked = record.reachable || record.tolerated;
    const bool counts = record.reachable || record.silent;
    const bool tolerated = record.online() && counts && too_many_silent(record);
    set_reachable(record, false, reason);
    record.silent = counts;
    record.tolerated = tolerated;
    if (tolerated != worked) {
        changed(record, tolerated ? Urgency::soon : Urgency::at_once);
    }
}

bool NodeTable::too_many_silent(const NodeRecord& node) const {
    return std::ranges::any_of(node.pools, [&](const auto& entry) {
        const api::PoolReport& report = entry.second.report;
        return takes_work(report) && report.served_name &&
               too_many_silent(node, *report.served_name);
    });
}

// Whether more than half of the model's ready pools would be without work if the node were, too.
bool NodeTable::too_many_silent(const NodeRecord& node, const std::string& model) const {
    std::size_t all = 0;
    std::size_t silent = 0;
    for (const auto& [id, other] : nodes_) {
        const bool in_question = &other == &node || other.silent;
        if (other.status != NodeStatus::online || (!other.reachable && !in_question)) {
            continue;
        }
        for (const auto& [pool_id, pool] : other.pools) {
            if (takes_work(pool.report) && pool.report.served_name == model) {
                ++all;
                silent += in_question && (&other == &node || !other.tolerated) ? 1 : 0;
            }
        }
    }
    return 2 * silent > all;
}

void NodeTable::set_reachable(NodeRecord& node, bool reachable, const std::string& reason) {
    node.silent = false;
    if (std::exchange(node.tolerated, false)) {
        changed(node, Urgency::soon);
    }
    const bool moved = node.reachable != reachable;
    if (!moved && node.unreachable_reason == reason) {
        return;
    }
    node.reachable = reachable;
    node.unreachable_reason = reachable ? "" : reason;
    note(reachable ? Kind::reachable : Kind::unreachable, node.registration.node_id, reason);
    changed(node, reachable ? Urgency::soon : Urgency::at_once);
}

void NodeTable::clear_suspicion(const NodeId& node) {
    if (const auto known = nodes_.find(node); known != nodes_.end()) {
        for (const auto& [id, pool] : known->second.pools) {
            pool.cell->clear_suspicion();
        }
    }
}

void NodeTable::pool_answered(const PoolKey& key, const api::PoolStatus& status, Instant now) {
    const auto node = nodes_.find(key.node);
    if (node == nodes_.end() || !node->second.pools.contains(key.pool)) {
        return;
    }
    api::PoolReport report = node->second.pools.at(key.pool).report;
    update(report, status);
    apply_pool(node->second, report, now);
    changed(node->second, Urgency::soon);
}

}  // namespace orch::control::registry
