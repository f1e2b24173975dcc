#pragma once

#include "api/node_views.hpp"

#include <boost/describe/class.hpp>

#include <map>
#include <string>
#include <vector>

namespace orch::api {

// One group of Prometheus' HTTP service discovery (prometheus.io/docs/prometheus/latest/http_sd).
struct PrometheusTargets {
    std::vector<std::string> targets;  // "host:port"
    std::map<std::string, std::string> labels;
};

// A group per node, in any state: which of them to scrape is for relabelling to say. Labels:
// __meta_llorch_node_id, _machine_id, _status, _reachable, _version and _label_<name> for each of
// the node's own; __scheme__ as in its address. A node whose address is none is left out.
std::vector<PrometheusTargets> make_prometheus_targets(const std::vector<NodeInfo>& nodes);

std::string to_json(const std::vector<PrometheusTargets>& groups);

BOOST_DESCRIBE_STRUCT(PrometheusTargets, (), (targets, labels))

}  // namespace orch::api
