#include "apps/llorch/nodes_view.hpp"

#include "apps/llorch/figures.hpp"
#include "apps/llorch/printable.hpp"

#include <fmt/format.h>

#include <map>

namespace orch::llorch {
namespace {

Tone tone_of(NodeStatus status) {
    switch (status) {
        case NodeStatus::online:
            return Tone::good;
        case NodeStatus::registering:
        case NodeStatus::pending:
        case NodeStatus::draining:
            return Tone::warning;
        case NodeStatus::offline:
        case NodeStatus::failed:
            break;
    }
    return Tone::bad;
}

// "2x NVIDIA L4, NVIDIA T4"
std::string gpus_text(const api::NodeCapabilities& capabilities) {
    std::map<std::string, int> count;
    for (const api::GpuInfo& gpu : capabilities.gpus) {
        ++count[gpu.name.empty() ? "GPU" : gpu.name];
    }
    std::vector<std::string> kinds;
    for (const auto& [name, number] : count) {
        kinds.push_back(number == 1 ? name : fmt::format("{}x {}", number, name));
    }
    return kinds.empty() ? "none" : list_text(kinds);
}

std::string ready_pools(const std::vector<api::PoolInfo>& pools) {
    std::uint64_t ready = 0;
    for (const api::PoolInfo& pool : pools) {
        ready += pool.ready ? 1U : 0U;
    }
    return share_text(ready, pools.size());
}

std::string free_slots(const std::vector<api::PoolInfo>& pools) {
    std::uint64_t free = 0;
    std::uint64_t total = 0;
    for (const api::PoolInfo& pool : pools) {
        free += pool.slots_free;
        total += pool.slots_total;
    }
    return share_text(free, total);
}

Row row_of(const api::NodeInfo& node) {
    Row row;
    row.cells = {
        {printable(node.node_id.str())},
        {std::string(to_string(node.status)), tone_of(node.status)},
        {node.reachable ? "yes" : "no", node.reachable ? Tone::plain : Tone::bad},
        {printable(node.address)},
        {ready_pools(node.pools)},
        {free_slots(node.pools)},
        {gpus_text(node.capabilities)},
        {node.heartbeat_age_ms ? age_text(*node.heartbeat_age_ms) : kUnknown},
        {or_unknown(node.version)},
    };
    if (node.status == NodeStatus::pending) {
        row.notes.push_back(
            "waits for approval: llorch nodes approve " + printable(node.node_id.str())
        );
    }
    if (!node.reachable && node.unreachable_reason) {
        row.notes.push_back("unreachable: " + printable(*node.unreachable_reason));
    }
    return row;
}

}  // namespace

std::string nodes_text(const api::NodeList& list, const TextStyle& style) {
    if (list.nodes.empty()) {
        return "No node has joined.\n";
    }
    Table table;
    table.columns = {
        {"NODE"},
        {"STATUS"},
        {"REACHABLE"},
        {"ADDRESS"},
        {"POOLS", Align::right},
        {"SLOTS FREE", Align::right},
        {"GPUS", Align::left, true},
        {"HEARTBEAT", Align::right},
        {"VERSION"},
    };
    for (const api::NodeInfo& node : list.nodes) {
        table.rows.push_back(row_of(node));
    }
    return render(table, style);
}

}  // namespace orch::llorch
