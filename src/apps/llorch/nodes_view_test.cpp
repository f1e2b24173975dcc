#include "apps/llorch/nodes_view.hpp"

#include <gtest/gtest.h>

namespace orch::llorch {
namespace {

api::PoolInfo pool(bool ready, std::uint32_t free, std::uint32_t total) {
    api::PoolInfo info;
    info.node_id = NodeId("gpu-1");
    info.pool_id = PoolId("chat");
    info.ready = ready;
    info.slots_free = free;
    info.slots_total = total;
    return info;
}

api::NodeInfo online_node() {
    api::NodeInfo node;
    node.node_id = NodeId("gpu-1");
    node.address = "http://10.0.0.5:9200";
    node.status = NodeStatus::online;
    node.online = true;
    node.reachable = true;
    node.heartbeat_age_ms = 3400;
    node.version = "0.2.0";
    node.capabilities.gpus = {{0, "NVIDIA L4", 1, ""}, {1, "NVIDIA L4", 1, ""}};
    node.pools = {pool(true, 3, 4), pool(false, 0, 2)};
    return node;
}

api::NodeInfo silent_node() {
    api::NodeInfo node;
    node.node_id = NodeId("gpu-2");
    node.address = "http://10.0.0.6:9200";
    node.status = NodeStatus::offline;
    node.unreachable_reason = "the connection was refused";
    return node;
}

TEST(NodesView, ShowsANodeARowAndWhyOneIsUnreachable) {
    EXPECT_EQ(
        nodes_text(api::make_list({online_node(), silent_node()}), {}),
        "NODE   STATUS   REACHABLE  ADDRESS               POOLS  SLOTS FREE  GPUS          "
        "HEARTBEAT  VERSION\n"
        "gpu-1  Online   yes        http://10.0.0.5:9200    1/2         3/6  2x NVIDIA L4  "
        "       3s  0.2.0\n"
        "gpu-2  Offline  no         http://10.0.0.6:9200    0/0         0/0  none          "
        "        -  -\n"
        "    unreachable: the connection was refused\n"
    );
}

TEST(NodesView, DisarmsWhatANodeSaysOfItself) {
    auto node = online_node();
    node.version = "\x1b[2J";
    EXPECT_EQ(nodes_text(api::make_list({node}), {}).find('\x1b'), std::string::npos);
}

TEST(NodesView, SaysThatThereIsNone) {
    EXPECT_EQ(nodes_text({}, {}), "No node has joined.\n");
}

}  // namespace
}  // namespace orch::llorch
