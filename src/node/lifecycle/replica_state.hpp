#pragma once

#include <optional>
#include <string_view>

namespace orch::node::lifecycle {

// States of one replica; the transitions are drawn in engine_fsm.hpp.
// The wire text is the enumerator.
enum class ReplicaState {
    stopped,      // no process, and none wanted
    starting,     // a process was spawned (or is about to be); nothing listens yet
    loading,      // it listens and loads its model
    ready,        // it serves
    draining,     // it finishes what it has and gets nothing new
    stopping,     // it was told to end
    backing_off,  // it failed and is started again soon
    broken,       // it failed too often and is tried again rarely
};

std::string_view to_string(ReplicaState state);
std::optional<ReplicaState> replica_state_from(std::string_view text);

// Whether a process (or, for a watched engine, a listener) is believed to be there.
bool is_live(ReplicaState state);

}  // namespace orch::node::lifecycle
