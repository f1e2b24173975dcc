#pragma once

#include "base/clock.hpp"
#include "base/rng.hpp"
#include "node/lifecycle/crash_reason.hpp"
#include "node/lifecycle/engine_events.hpp"
#include "node/lifecycle/replica_state.hpp"
#include "node/lifecycle/restart_policy.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace orch::node::lifecycle {

struct EngineConfig {
    Duration start_timeout = std::chrono::seconds(600);     // from spawn to ready
    Duration eager_probe = std::chrono::milliseconds(100);  // while starting, for eager_for
    Duration eager_for = std::chrono::seconds(5);
    Duration start_probe = std::chrono::milliseconds(500);  // while starting, afterwards
    Duration ready_probe =
        std::chrono::seconds(2);  // from probe to probe; faster ones keep abandoned requests going
    unsigned hang_strikes = 3;    // bad answers, or none from an idle process, in a row
    Duration stop_grace = std::chrono::seconds(5);  // from the first SIGTERM to the second
    Duration kill_grace = std::chrono::seconds(2);  // from there to SIGKILL, and between repeats
    RestartConfig restart;
};

// What the machine knows about its replica.
struct EngineStatus {
    ReplicaState state = ReplicaState::stopped;
    Instant since{};  // when the state was entered
    std::optional<std::int64_t> pid;
    std::optional<Instant> ready_since;  // of the present process
    std::string last_error;              // empty once it serves again
    std::optional<CrashReason> crash;    // that failed last; absent once it serves again
    unsigned failures = 0;               // consecutive
    Duration backoff{};                  // that the next attempt is waited for; 0 = for none
    bool circuit_open = false;           // it crash-loops, from the decision until it serves
    std::uint64_t starts = 0;            // processes spawned so far
};

// The life of one replica's engine process, sans I/O. One owner: the supervisor's thread.
//
//                 start             listens             serves
//    stopped ----------> starting ---------> loading ----------> ready
//      ^                  ^ ^  |                |  ^               | | ^
//      |            delay | |  | failed, or     |  +--- loads -----+ | | start
//      |                  | |  | timed out      |      again   drain | |
//      |                  | |  v                v                    v |
//      |        backing_off, broken <---+   stopping <------------ draining
//      |                  |             |    |   stop, drained, hung
//      +------------------+             +----+
//            stop                    failed: exit; stop: to stopped; start meanwhile: to starting
//
// A process that dies leaves any state for backing_off (broken after breaker_threshold failures
// in a row), or for stopped when it was told to stop. A port lost to somebody else between
// choosing it and listening costs one immediate restart and counts only when it happens again.
// No answer is a hang only if the process did nothing meanwhile, and then in any state from
// starting on: hang_strikes probes in a row, ready_probe apart.
// Ending a process: SIGTERM and close the relays; after stop_grace SIGTERM again (llama-server
// waits for its clients at the first and ends at the second); after kill_grace SIGKILL.
class EngineFsm {
public:
    // `rng` (jitter) outlives the machine.
    EngineFsm(EngineConfig config, Rng& rng);

    // Takes one event in and says what to do, in this order. Events that have lost their meaning
    // (a probe that was replaced, an early timer) are ignored.
    EngineActions resume(const EngineEvent& event, Instant now);

    const EngineStatus& status() const { return status_; }

private:
    void on(const engine_event::StartWanted& event);
    void on(const engine_event::Spawned& event);
    void on(const engine_event::SpawnFailed& event);
    void on(const engine_event::Adopted& event);
    void on(const engine_event::Probed& event);
    void on(const engine_event::ChildExited& event);
    void on(const engine_event::DrainWanted& event);
    void on(const engine_event::StopWanted& event);
    void on(const engine_event::LeaveWanted& event);
    void on(const engine_event::Drained& event);
    void on(const engine_event::TimerExpired& event);

    void spawn();
    void serve();
    void load();
    void look_at_start(const engine_event::Probed& event);
    void look_at_service(const engine_event::Probed& event);
    void count_strike(bool counts, CrashReason reason, std::string_view detail);
    void end_failed(CrashReason reason, std::string why, bool forcibly);
    void end_process(bool forcibly);
    void press_on();
    void recover(CrashReason reason, std::string why, bool port_lost);
    void rest();

    void enter(ReplicaState state);
    void probe_after(Duration delay);
    void probe_at(Instant at);
    void wake_at(Instant at);

    bool in(ReplicaState state) const { return status_.state == state; }

    bool is_coming_up() const;
    Duration start_probe_delay() const;

    EngineConfig config_;
    RestartPolicy restart_;
    EngineStatus status_;
    EngineActions actions_;
    Instant now_{};
    std::optional<Instant> wake_at_;
    std::optional<std::uint64_t> outstanding_probe_;
    std::uint64_t last_probe_ = 0;
    Instant probe_at_{};                     // of the last one
    Instant attempt_since_{};                // spawn, adoption, or when it began to load again
    std::optional<std::string> end_reason_;  // why the process is being ended, if it failed
    CrashReason end_crash_{};                // the same in one word
    unsigned strikes_ = 0;                   // probes in a row that speak for a hang
    unsigned signals_sent_ = 0;              // towards the present process's end
    bool wanted_ = false;                    // an engine ought to run
    bool drain_held_ = false;                // DrainWanted, and no StartWanted since
    bool leaving_ = false;                   // LeaveWanted, and nothing else wanted since
    bool awaiting_spawn_ = false;            // Spawn was asked for and is not answered yet
    bool port_lost_ = false;                 // the process being ended found its port taken
    bool port_race_forgiven_ = false;        // one race since it last served cost no backoff
};

}  // namespace orch::node::lifecycle
