#pragma once

#include "async/async_clock.hpp"
#include "async/task_group.hpp"
#include "auth/live_auth.hpp"
#include "base/host_port.hpp"
#include "base/log.hpp"
#include "base/rate_limited_log.hpp"
#include "net/http_call.hpp"
#include "node/enroll/enroll_fsm.hpp"
#include "node/enroll/enroll_probe.hpp"
#include "node/enroll/node_status_source.hpp"

#include <cstdint>
#include <string>

namespace orch::node::enroll {

// One control plane to join.
struct EnrollTarget {
    HostPort control_plane;
    bool control_plane_tls = false;
    const auth::OutboundToken& token;
    std::string advertised;  // this node's base URL; empty: found out from the route there
    HostPort bound;          // where this node listens
    bool bound_tls = false;
};

// Keeps the node registered with one control plane: performs what its EnrollFsm decides. The
// node's control thread.
class EnrollClient {
public:
    struct Parts {
        async::AsyncClock& clock;
        async::TaskGroup& tasks;
        net::ClientPool& clients;
        const NodeStatusSource& source;
        BeatSequence& sequence;
        Rng& rng;
        EnrollProbe& probe;
    };

    EnrollClient(EnrollTarget target, EnrollConfig config, Parts parts, Logger log);

    void start();

    // A pool became ready or not ready: the control plane hears of it at once.
    void readiness_changed();

    // Returns when what readiness_changed() has to tell was told, or could not be.
    Task<void> finish_telling();

    // The setting has changed.
    void set_interval(Duration interval);

    // Deregisters; returns when the control plane has answered, or cannot.
    Task<void> leave();

    const EnrollStatus& status() const { return fsm_.status(); }

    // The base URL that is advertised; known once a registration was tried. One that was found out
    // is looked at again before each heartbeat, since hosts move.
    const std::string& advertised() const { return advertised_; }

private:
    void take(const EnrollEvent& event);
    void perform(const enroll_action::SendRegister& action);
    void perform(const enroll_action::SendHeartbeat& action);
    void perform(const enroll_action::SendDeregister& action);
    void perform(const enroll_action::WaitUntil& action);

    Task<void> send_register();
    Task<void> send_heartbeat(std::uint64_t seq, Duration limit);
    Task<void> send_deregister();
    Task<void> wake_at(Instant at, std::uint64_t ticket);
    Task<net::CallResult> call(
        net::Method method, std::string path, std::string body, Duration limit
    );
    Task<std::string> find_address();
    void tell_change(EnrollState before);

    EnrollTarget target_;
    Parts parts_;
    Duration call_limit_;
    Logger log_;
    RateLimitedLog faults_;
    EnrollFsm fsm_;
    std::string advertised_;
    std::string accepted_address_;  // the one the control plane knows
    std::uint64_t wake_ticket_ = 0;
};

}  // namespace orch::node::enroll
