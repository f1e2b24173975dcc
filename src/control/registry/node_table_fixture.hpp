#pragma once

#include "control/registry/node_table.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// One node, one pool and the messages they send, for the tests of the table.
namespace orch::control::registry {

using Kind = NodeChange::Kind;

inline const NodeId kNode("gpu-1");
inline const PoolId kChat("chat");
inline const PoolKey kChatKey{kNode, kChat};

inline Instant at(std::int64_t ms) {
    return Instant(std::chrono::hours(1)) + std::chrono::milliseconds(ms);
}

inline Stamp stamp(std::int64_t ms) {
    return {at(ms), WallTime(std::chrono::milliseconds(1'700'000'000'000 + ms))};
}

inline api::RegisterRequest registration(std::string boot = "b1") {
    api::RegisterRequest message;
    message.node_id = kNode;
    message.machine_id = MachineId("m-1");
    message.address = "http://10.0.0.7:9200";
    message.pools = {kChat};
    message.boot_id = std::move(boot);
    return message;
}

inline api::PoolReport report(const PoolId& id, bool ready, std::uint32_t slots_free = 4) {
    api::PoolReport pool;
    pool.pool_id = id;
    pool.ready = ready;
    pool.slots_free = slots_free;
    pool.slots_total = 4;
    pool.active_leases = 4 - slots_free;
    pool.served_name = "qwen";
    pool.models_available = {"qwen", "gpt"};
    return pool;
}

inline api::HeartbeatRequest beat(
    std::optional<std::uint64_t> seq, std::vector<api::PoolReport> pools, std::string boot = "b1"
) {
    api::HeartbeatRequest message;
    message.timestamp = "t";
    message.seq = seq;
    message.boot_id = std::move(boot);
    message.pools = std::move(pools);
    return message;
}

class NodeTableTest : public testing::Test {
protected:
    // A node that is Online, reachable and serves one ready pool; times start at 0.
    void join() {
        const auto outcome = table_.register_node(registration(), stamp(0));
        ASSERT_TRUE(outcome);
        table_.set_reachability(kNode, outcome->registration, true, "");
        ASSERT_TRUE(table_.heartbeat(kNode, beat(1, {report(kChat, true)}), stamp(0)));
        table_.take_changes();
        table_.view();
    }

    NodeStatus status() { return table_.get(kNode, at(0))->status; }

    bool noted(Kind kind) {
        return std::ranges::find(changes_, kind, &NodeChange::kind) != changes_.end();
    }

    void take() { changes_ = table_.take_changes(); }

    RegistryConfig config_;
    NodeTable table_{config_, at(0)};
    std::vector<NodeChange> changes_;
};

}  // namespace orch::control::registry
