#include "api/prometheus_targets.hpp"

#include <gtest/gtest.h>

namespace orch::api {
namespace {

NodeInfo node(const char* id, const char* address) {
    NodeInfo info;
    info.node_id = NodeId(id);
    info.machine_id = MachineId("m");
    info.address = address;
    return info;
}

TEST(PrometheusTargets, ListsEveryNodeInAnyStateWithItsLabels) {
    NodeInfo offline = node("gpu-1", "http://10.0.0.7:9200");
    offline.status = NodeStatus::offline;
    offline.version = "0.2.0";
    offline.labels = {{"rack.row", "a-1"}};
    EXPECT_EQ(
        to_json(make_prometheus_targets({offline})),
        R"([{"targets":["10.0.0.7:9200"],"labels":{"__meta_llorch_label_rack_row":"a-1",)"
        R"("__meta_llorch_machine_id":"m","__meta_llorch_node_id":"gpu-1",)"
        R"("__meta_llorch_reachable":"false","__meta_llorch_status":"Offline",)"
        R"("__meta_llorch_version":"0.2.0","__scheme__":"http"}}])"
    );
}

TEST(PrometheusTargets, KeepsTheFormOfTheAddress) {
    const auto groups = make_prometheus_targets(
        {node("a", "https://[::1]:9200"), node("b", "http://host"), node("c", "")}
    );
    ASSERT_EQ(groups.size(), 2U) << "without an address there is nothing to scrape";
    EXPECT_EQ(groups[0].targets.front(), "[::1]:9200");
    EXPECT_EQ(groups[0].labels.at("__scheme__"), "https");
    EXPECT_EQ(groups[1].targets.front(), "host:80");
}

TEST(PrometheusTargets, NoNodeIsAnEmptyList) {
    EXPECT_EQ(to_json(make_prometheus_targets({})), "[]");
}

}  // namespace
}  // namespace orch::api
