#pragma once

#include "base/result.hpp"
#include "base/strong_id.hpp"

#include <boost/describe/class.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace orch::control::fleet {

// What operators told the control plane about nodes and it must not forget: `fleet.json` in the
// state directory.
struct FleetState {
    std::uint32_t version = 1;
    std::vector<std::string> static_nodes;  // URLs that were added over the API
    std::vector<NodeId> cordoned;
    std::vector<NodeId> approved;  // where new nodes must be approved
};

// The path of that file.
std::string fleet_state_path(const std::string& state_dir);

// Nothing was saved yet: an empty state. Blocks.
// Errors: internal, naming the path: the file cannot be read, or is none of ours.
Result<FleetState> load_fleet_state(const std::string& path);

// Blocks until it is on the disk. Errors: internal, naming the path; then the old one is untouched.
Result<void> save_fleet_state(const std::string& path, const FleetState& state);

BOOST_DESCRIBE_STRUCT(FleetState, (), (version, static_nodes, cordoned, approved))

}  // namespace orch::control::fleet
