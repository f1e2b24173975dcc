#include "api/prometheus_targets.hpp"

#include "api/http_address.hpp"
#include "base/host_port.hpp"
#include "base/json.hpp"

#include <algorithm>
#include <cctype>

namespace orch::api {
namespace {

// Label names know letters, digits and underscores only.
std::string label_name(std::string_view text) {
    std::string name = "__meta_llorch_label_";
    for (const char c : text) {
        name.push_back(std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_');
    }
    return name;
}

PrometheusTargets group_of(const NodeInfo& node, const HttpAddress& address) {
    PrometheusTargets group;
    group.targets.push_back(orch::to_string(HostPort{address.host, address.port}));
    group.labels = {
        {"__meta_llorch_node_id", node.node_id.str()},
        {"__meta_llorch_machine_id", node.machine_id.str()},
        {"__meta_llorch_status", std::string(to_string(node.status))},
        {"__meta_llorch_reachable", node.reachable ? "true" : "false"},
        {"__meta_llorch_version", node.version.value_or("")},
        {"__scheme__", address.tls ? "https" : "http"},
    };
    for (const auto& [name, value] : node.labels) {
        group.labels.emplace(label_name(name), value);
    }
    return group;
}

}  // namespace

std::vector<PrometheusTargets> make_prometheus_targets(const std::vector<NodeInfo>& nodes) {
    std::vector<PrometheusTargets> groups;
    for (const NodeInfo& node : nodes) {
        if (const auto address = parse_http_address(node.address, "address")) {
            groups.push_back(group_of(node, *address));
        }
    }
    return groups;
}

std::string to_json(const std::vector<PrometheusTargets>& groups) {
    return json::serialize(json::write(groups, json::Nulls::write));
}

}  // namespace orch::api
