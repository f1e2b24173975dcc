#pragma once

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/enums.hpp"
#include "base/load_cell.hpp"
#include "base/strong_id.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The view's own words for a node and its pools: what placing and relaying a request needs.
// Immutable once published; any thread.
namespace orch::control::view {

using Labels = std::map<std::string, std::string>;

// Where a node's API answers, split as a client pool wants it.
struct Endpoint {
    bool tls = false;
    std::string host;
    std::uint16_t port = 0;

    friend auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

struct PoolBlock {
    PoolKey key;
    std::string served_name;          // empty when an earlier node does not say
    std::vector<std::string> models;  // served name and aliases
    EngineFamily engine = EngineFamily::llamacpp;
    std::string engine_version;
    ModelKind kind = ModelKind::chat;
    bool ready = false;
    bool draining = false;
    bool loadable = false;  // at rest, and its node starts it when it is asked to
    bool loading = false;   // its node is starting it
    std::uint32_t ctx = 0;  // tokens per slot, 0 = unknown
    std::uint32_t slots_total = 0;
    Bytes vram_free = 0;
    Bytes vram_total = 0;
    Bytes vram_need = 0;  // what a start would take, while it is loadable; 0: nothing, or not known
    std::string device_mask;
    Labels labels;
    std::shared_ptr<LoadCell> cell;    // never null; lives as long as the pool is known
    std::uint64_t life = 0;            // another one whenever its engines may be others; grows
    std::optional<Instant> left_at{};  // was ready until then, and somebody brings it back
    std::string last_error;            // why it does not serve, as its node says: one line

    bool lists(std::string_view model) const;

    // Slots claimed here and slots that others use on the engine, of slots_total.
    std::uint32_t busy() const;

    friend bool operator==(const PoolBlock&, const PoolBlock&) = default;
};

struct NodeBlock {
    NodeId id;
    MachineId machine_id;
    Endpoint endpoint;
    NodeStatus status = NodeStatus::registering;
    bool online = false;     // heard from within the node timeout
    bool reachable = false;  // its address answered as this node
    std::string unreachable_reason;
    Labels labels;
    std::vector<PoolBlock> pools;  // in order of pool id

    // New work may go here: Online (neither draining nor failed) and reachable.
    bool takes_work() const { return status == NodeStatus::online && reachable; }

    // Same ids, models, kinds and cells: an index built from one fits the other.
    bool same_shape(const NodeBlock& other) const;

    friend bool operator==(const NodeBlock&, const NodeBlock&) = default;
};

using NodeBlockPtr = std::shared_ptr<const NodeBlock>;

// What a pool of this node is labelled with: its own label, else its node's; empty when neither has
// one. "node_id" and "machine_id" are labels that every pool has.
std::string_view label_of(const NodeBlock& node, const PoolBlock& pool, const std::string& name);

}  // namespace orch::control::view
