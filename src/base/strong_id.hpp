#pragma once

#include <compare>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace orch {

// A text identifier that cannot be mixed up with another kind of identifier.
// Ids come from outside (wire, settings); valid_id() says what is acceptable.
template <class Tag>
struct StrongId {
    std::string value;

    StrongId() = default;

    explicit StrongId(std::string text) : value(std::move(text)) {}

    const std::string& str() const { return value; }

    bool empty() const { return value.empty(); }

    friend auto operator<=>(const StrongId&, const StrongId&) = default;
};

using NodeId = StrongId<struct NodeIdTag>;          // one pool-managerd, unique in the cluster
using MachineId = StrongId<struct MachineIdTag>;    // the physical machine behind a node
using PoolId = StrongId<struct PoolIdTag>;          // unique on its node
using ReplicaId = StrongId<struct ReplicaIdTag>;    // unique in its pool: "r0", "r1" ...
using ServedName = StrongId<struct ServedNameTag>;  // a model's identity for clients
using CorrelationId = StrongId<struct CorrelationIdTag>;  // one request, in every log and answer

// A pool's identity in the cluster.
struct PoolKey {
    NodeId node;
    PoolId pool;
    friend auto operator<=>(const PoolKey&, const PoolKey&) = default;
};

// [A-Za-z0-9._-]{1,64}: pool, node and correlation ids.
bool valid_id(std::string_view text);

}  // namespace orch

template <class Tag>
struct std::hash<orch::StrongId<Tag>> {
    std::size_t operator()(const orch::StrongId<Tag>& id) const noexcept {
        return std::hash<std::string>{}(id.value);
    }
};

template <>
struct std::hash<orch::PoolKey> {
    std::size_t operator()(const orch::PoolKey& key) const noexcept {
        const std::size_t node = std::hash<orch::NodeId>{}(key.node);
        return node * 31 + std::hash<orch::PoolId>{}(key.pool);
    }
};
