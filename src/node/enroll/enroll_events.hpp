#pragma once

#include "base/clock.hpp"

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

// What an enrolment machine is told and what it asks for. Values; no I/O.
namespace orch::node::enroll {

enum class RegisterOutcome {
    accepted,
    conflict,     // 409: another machine lives under this node id
    refused,      // any other answer that is no success
    unreachable,  // no answer
};

enum class HeartbeatOutcome {
    accepted,
    moved,         // not sent: this host's address is not the advertised one any more
    unknown_node,  // 404: the control plane does not know this node (any more)
    refused,
    unreachable,
};

namespace enroll_event {

struct Start {};

struct RegisterAnswered {
    RegisterOutcome outcome = RegisterOutcome::unreachable;
    Duration next_heartbeat{};  // as the answer says; 0 = not said
    std::string message;        // for people
};

struct HeartbeatAnswered {
    HeartbeatOutcome outcome = HeartbeatOutcome::unreachable;
    Duration next_heartbeat{};
    std::string message;
};

struct DeregisterAnswered {};  // in whatever way

struct ReadinessChanged {};  // a pool became ready or not ready

// The interval of the settings changed.
struct IntervalChanged {
    Duration interval{};
};

struct TimerExpired {};  // the instant of the last WaitUntil was reached

struct Leave {};

}  // namespace enroll_event

using EnrollEvent = std::variant<
    enroll_event::Start,
    enroll_event::RegisterAnswered,
    enroll_event::HeartbeatAnswered,
    enroll_event::DeregisterAnswered,
    enroll_event::ReadinessChanged,
    enroll_event::IntervalChanged,
    enroll_event::TimerExpired,
    enroll_event::Leave>;

namespace enroll_action {

// Each of the three is answered by exactly one event, within a time limit of the sender's.
struct SendRegister {};

struct SendHeartbeat {
    std::uint64_t seq = 0;
    Duration limit{};  // for the answer: one that is lost must not delay the next
};

struct SendDeregister {};

struct WaitUntil {
    Instant at{};  // replaces any earlier one
};

}  // namespace enroll_action

using EnrollAction = std::variant<
    enroll_action::SendRegister,
    enroll_action::SendHeartbeat,
    enroll_action::SendDeregister,
    enroll_action::WaitUntil>;

using EnrollActions = std::vector<EnrollAction>;

}  // namespace orch::node::enroll
