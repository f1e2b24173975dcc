#pragma once

#include "api/node_messages.hpp"
#include "api/node_views.hpp"
#include "base/clock.hpp"
#include "base/load_cell.hpp"
#include "control/view/node_block.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

// What the table remembers about one node, and its translations. Owner: the table's thread.
namespace orch::control::registry {

struct PoolRecord {
    api::PoolReport report;
    std::shared_ptr<LoadCell> cell;
    std::uint64_t life = 0;            // see PoolBlock
    std::optional<Instant> left_at{};  // it was ready until then
};

struct NodeRecord {
    api::RegisterRequest registration;
    view::Endpoint endpoint;
    std::uint64_t registration_number = 0;
    bool is_static = false;
    NodeStatus status = NodeStatus::registering;
    bool cordoned = false;
    bool reachable = false;
    std::string unreachable_reason;
    bool silent = false;     // unreachable because polls failed, and for no other reason
    bool tolerated = false;  // silent, and given work all the same: too many others are silent too
    WallTime registered_at{};
    std::optional<Instant> heard_at;  // the last heartbeat that counted
    std::optional<WallTime> heard_wall;
    std::optional<Instant> deadline;        // of silence, or of being forgotten
    std::optional<std::uint64_t> seq;       // of the latest report, in a heartbeat or a poll
    std::optional<std::uint64_t> beat_seq;  // of the latest heartbeat
    std::map<PoolId, PoolRecord> pools;
    std::vector<api::ModelReport> models;
    std::vector<api::GpuReport> gpus;
    std::optional<Bytes> disk_free_bytes;
    view::NodeBlockPtr block;  // null when it must be built again

    bool online() const;

    // Every pool has replicas and all of them are broken.
    bool crash_loops() const;
};

// Slots that may be claimed at most: free ones and those this report counts as leased, or, of a
// node that does not lease, free ones and our own claims.
std::uint32_t claimable_slots(const api::PoolReport& report, std::uint32_t own_claims);

// What a node says of one pool, in a report that it made before.
void update(api::PoolReport& report, const api::PoolStatus& status);

// Ready and not draining.
bool takes_work(const api::PoolReport& report);

view::NodeBlockPtr make_block(const NodeRecord& node);
api::NodeInfo make_info(const NodeRecord& node, Instant now);
api::PoolInfo make_info(const NodeId& node, const PoolRecord& pool);

}  // namespace orch::control::registry
