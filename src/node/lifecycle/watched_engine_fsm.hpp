#pragma once

#include "base/clock.hpp"
#include "node/lifecycle/engine_events.hpp"
#include "node/lifecycle/engine_fsm.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace orch::node::lifecycle {

// A replica that somebody else runs, at a URL or handed over by a file: it is asked for its health
// and neither started nor stopped. Speaks the events and actions of EngineFsm; of those it never
// spawns and never kills. One owner: the supervisor's thread.
//
//              probe ok             no answer, refused, wrong
//   starting ------------> ready ------------------------------> backing_off
//      |  ^                ^ | ^                                    |
//      |  | loads   start  | | drain                                | probe ok: ready
//      v  |                | v                                      | loads:    loading
//     loading            draining
//
//   stop: from any state to stopped (from ready through draining); nobody is asked any more.
class WatchedEngineFsm {
public:
    explicit WatchedEngineFsm(EngineConfig config) : config_(config) {}

    EngineActions resume(const EngineEvent& event, Instant now);

    const EngineStatus& status() const { return status_; }

private:
    void on(const engine_event::StartWanted& event);
    void on(const engine_event::Probed& event);
    void on(const engine_event::DrainWanted& event);
    void on(const engine_event::StopWanted& event);
    void on(const engine_event::Drained& event);
    void on(const engine_event::TimerExpired& event);

    // Processes are somebody else's.
    void on(const auto&) {}

    void look(const engine_event::Probed& event);
    void serve();
    void lose(std::string why);
    void stop();
    void enter(ReplicaState state);
    void probe_after(Duration delay);

    bool in(ReplicaState state) const { return status_.state == state; }

    bool serves() const { return in(ReplicaState::ready) || in(ReplicaState::draining); }

    EngineConfig config_;
    EngineStatus status_;
    EngineActions actions_;
    Instant now_{};
    std::optional<Instant> stop_at_;
    std::optional<std::uint64_t> outstanding_probe_;
    std::uint64_t last_probe_ = 0;
    unsigned strikes_ = 0;
    bool drain_held_ = false;
};

}  // namespace orch::node::lifecycle
