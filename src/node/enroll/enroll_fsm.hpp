#pragma once

#include "async/backoff.hpp"
#include "base/clock.hpp"
#include "base/rng.hpp"
#include "node/enroll/beat_sequence.hpp"
#include "node/enroll/enroll_events.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace orch::node::enroll {

enum class EnrollState { unregistered, registering, registered, leaving, left };

std::string_view to_string(EnrollState state);

struct EnrollConfig {
    Duration interval = std::chrono::seconds(10);  // the control plane may ask for a shorter one
    async::BackoffConfig backoff;                  // of a node that never got in: 1 s to 30 s
    Duration min_interval = std::chrono::milliseconds(10);  // whatever the control plane asks for
    Duration call_limit = std::chrono::seconds(5);          // for any answer
    Duration min_beat_limit =
        std::chrono::seconds(1);  // for a heartbeat's, if the interval is less
    Duration register_spacing = std::chrono::seconds(1);  // between two registrations that succeed
};

struct EnrollStatus {
    EnrollState state = EnrollState::unregistered;
    Instant since{};
    std::string last_error;  // empty after the last success
    std::uint64_t beats = 0;
    std::uint64_t registrations = 0;  // that were accepted
};

// The node's membership in one control plane, sans I/O. One owner: the node's control thread.
//
//                   start            accepted         404, or moved
//   unregistered ---------> registering ------> registered ---> registering
//        ^                     |    ^    ^----------'
//        |  failed, and it     |    |  failed, and it was in before: goes on beating
//        |  was never in       |    |
//        +---------------------+    |
//        +--------------------------+  after a backoff
//
//   leave: any state -> leaving (deregisters once a registration in flight is answered) -> left
//
// The first heartbeat follows an accepted registration at once, the others every interval: the
// shorter of its own and the one the last answer asked for. A node that was in once beats on
// whatever fails, and waits for no answer longer than an interval, so a control plane that restarts
// or can be reached again knows it within one. 409 is different:
// the id belongs to another machine, and its heartbeats must not be mistaken for that one's.
// A readiness change is told at once; while a heartbeat is in flight, right after its answer.
class EnrollFsm {
public:
    // `sequence` and `rng` (jitter) outlive the machine.
    EnrollFsm(EnrollConfig config, BeatSequence& sequence, Rng& rng);

    // Takes one event in and says what to do, in this order. Early timers are ignored.
    EnrollActions resume(const EnrollEvent& event, Instant now);

    const EnrollStatus& status() const { return status_; }

    // Whether a heartbeat is on its way, or follows the one that is.
    bool has_news() const { return beat_in_flight_ || beat_due_; }

private:
    void on(const enroll_event::Start& event);
    void on(const enroll_event::RegisterAnswered& event);
    void on(const enroll_event::HeartbeatAnswered& event);
    void on(const enroll_event::DeregisterAnswered& event);
    void on(const enroll_event::ReadinessChanged& event);
    void on(const enroll_event::IntervalChanged& event);
    void on(const enroll_event::TimerExpired& event);
    void on(const enroll_event::Leave& event);

    void send_register();
    void send_heartbeat();
    void send_deregister();
    void get_in();
    void stay_out(RegisterOutcome outcome);
    void register_again();
    void schedule_beat();
    void enter(EnrollState state);
    void wait_until(Instant at);
    Duration interval() const;

    bool in(EnrollState state) const { return status_.state == state; }

    EnrollConfig config_;
    BeatSequence& sequence_;
    async::Backoff backoff_;
    EnrollStatus status_;
    EnrollActions actions_;
    Instant now_{};
    std::optional<Instant> wake_at_;
    Duration asked_interval_{};  // by the control plane; 0 = nothing asked
    Instant last_beat_{};        // sent
    Instant last_accepted_{};    // registration
    bool was_in_ = false;        // an earlier registration was accepted
    bool register_in_flight_ = false;
    bool beat_in_flight_ = false;
    bool beat_due_ = false;       // another one follows the one in flight at once
    bool must_register_ = false;  // told 404; waits for register_spacing
};

}  // namespace orch::node::enroll
