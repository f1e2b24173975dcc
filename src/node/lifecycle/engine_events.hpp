#pragma once

#include "base/clock.hpp"
#include "node/lifecycle/engine_exit.hpp"

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

// What an engine machine is told and what it asks for. Values; no I/O.
namespace orch::node::lifecycle {

// What asking a replica for its health found.
enum class ProbeOutcome {
    refused,  // nothing listens
    loading,  // it listens: 503 "Loading model"
    ok,  // it serves, and it is the right one: our child owns the listener, /props names the model
    wrong_child,  // somebody else serves at that port
    no_answer,    // connected, or tried to, and nothing came in time
    failing,      // it answers, and not as an engine that works does
};

namespace engine_event {

struct StartWanted {};  // also ends a drain that has not become a stop, and closes the circuit

struct Spawned {
    std::int64_t pid = 0;
};

struct SpawnFailed {
    std::string reason;
};

// A process of an earlier run of the daemon was found to be ours. Whether it serves is yet to be
// asked.
struct Adopted {
    std::int64_t pid = 0;
};

struct Probed {
    std::uint64_t probe = 0;  // the id of the ProbeAt it answers
    ProbeOutcome outcome = ProbeOutcome::refused;
    bool process_idle =
        false;  // no_answer only: stopped (T, Z), or no CPU time used since the probe before
    std::string detail;  // for people
};

struct ChildExited {
    EngineExit exit;
};

struct DrainWanted {};  // nothing new from now on; the engine keeps running

// Drain, then stop: at once when nothing runs, at `drain_until` at the latest.
struct StopWanted {
    Instant drain_until{};
};

// The daemon ends and the engine stays for the next one: nothing is started in its place any more.
struct LeaveWanted {};

// No request is on this replica: told when the last one ends, and when a drain begins without any.
struct Drained {};

struct TimerExpired {};  // the instant of the last WakeAt was reached

}  // namespace engine_event

using EngineEvent = std::variant<
    engine_event::StartWanted,
    engine_event::Spawned,
    engine_event::SpawnFailed,
    engine_event::Adopted,
    engine_event::Probed,
    engine_event::ChildExited,
    engine_event::DrainWanted,
    engine_event::StopWanted,
    engine_event::LeaveWanted,
    engine_event::Drained,
    engine_event::TimerExpired>;

namespace engine_action {

struct Spawn {};  // on a port chosen now; answered by Spawned or SpawnFailed

struct ProbeAt {
    std::uint64_t probe = 0;  // replaces any probe that is outstanding
    Instant at{};
};

struct Kill {
    bool forcibly = false;  // SIGKILL, else SIGTERM
};

// Ends the relays to this replica: an engine told to end waits for its clients to leave.
struct CloseUpstreams {};

// It serves: tell whoever watches the handoff folder.
struct WriteHandoff {};

struct Publish {};  // status() changed

struct WakeAt {
    Instant at{};  // replaces any earlier one
};

}  // namespace engine_action

using EngineAction = std::variant<
    engine_action::Spawn,
    engine_action::ProbeAt,
    engine_action::Kill,
    engine_action::CloseUpstreams,
    engine_action::WriteHandoff,
    engine_action::Publish,
    engine_action::WakeAt>;

using EngineActions = std::vector<EngineAction>;

}  // namespace orch::node::lifecycle
