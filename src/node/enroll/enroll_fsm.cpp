#include "node/enroll/enroll_fsm.hpp"

#include <algorithm>
#include <utility>

namespace orch::node::enroll {

std::string_view to_string(EnrollState state) {
    switch (state) {
        case EnrollState::unregistered:
            return "unregistered";
        case EnrollState::registering:
            return "registering";
        case EnrollState::registered:
            return "registered";
        case EnrollState::leaving:
            return "leaving";
        case EnrollState::left:
            return "left";
    }
    return "unregistered";
}

EnrollFsm::EnrollFsm(EnrollConfig config, BeatSequence& sequence, Rng& rng)
    : config_(config), sequence_(sequence), backoff_(config.backoff, rng) {}

EnrollActions EnrollFsm::resume(const EnrollEvent& event, Instant now) {
    now_ = now;
    actions_.clear();
    std::visit([this](const auto& what) { on(what); }, event);
    return std::exchange(actions_, {});
}

void EnrollFsm::on(const enroll_event::Start&) {
    if (in(EnrollState::unregistered) && !register_in_flight_ && !wake_at_) {
        send_register();
    }
}

void EnrollFsm::on(const enroll_event::RegisterAnswered& event) {
    if (!std::exchange(register_in_flight_, false)) {
        return;
    }
    if (in(EnrollState::leaving)) {
        // Even without an answer: it may have been taken in.
        send_deregister();
        return;
    }
    if (event.outcome == RegisterOutcome::accepted) {
        asked_interval_ = event.next_heartbeat;
        get_in();
    } else {
        status_.last_error = event.message;
        stay_out(event.outcome);
    }
}

void EnrollFsm::get_in() {
    was_in_ = true;
    last_accepted_ = now_;
    ++status_.registrations;
    status_.last_error.clear();
    backoff_.reset();
    enter(EnrollState::registered);
    send_heartbeat();
}

void EnrollFsm::stay_out(RegisterOutcome outcome) {
    if (outcome == RegisterOutcome::conflict) {
        was_in_ = false;
    }
    if (was_in_) {
        enter(EnrollState::registered);
        schedule_beat();
        return;
    }
    enter(EnrollState::unregistered);
    wait_until(now_ + backoff_.next());
}

void EnrollFsm::on(const enroll_event::HeartbeatAnswered& event) {
    if (!std::exchange(beat_in_flight_, false)) {
        return;
    }
    if (!in(EnrollState::registered)) {
        return;
    }
    const bool follow_up = std::exchange(beat_due_, false);
    switch (event.outcome) {
        case HeartbeatOutcome::accepted:
            status_.last_error.clear();
            asked_interval_ = event.next_heartbeat;
            break;
        case HeartbeatOutcome::moved:
        case HeartbeatOutcome::unknown_node:
            status_.last_error = event.message;
            register_again();
            return;
        case HeartbeatOutcome::refused:
        case HeartbeatOutcome::unreachable:
            status_.last_error = event.message;
            break;
    }
    if (follow_up) {
        send_heartbeat();
    } else {
        schedule_beat();
    }
}

// At once, unless it has only just registered: two control planes behind one address that do not
// share their memory would otherwise be asked in turn without a pause.
void EnrollFsm::register_again() {
    const Instant allowed = last_accepted_ + config_.register_spacing;
    if (now_ >= allowed) {
        send_register();
        return;
    }
    must_register_ = true;
    wait_until(allowed);
}

void EnrollFsm::on(const enroll_event::ReadinessChanged&) {
    if (!in(EnrollState::registered) || must_register_) {
        return;  // the heartbeat after the registration tells it
    }
    if (beat_in_flight_) {
        beat_due_ = true;
    } else {
        send_heartbeat();
    }
}

void EnrollFsm::on(const enroll_event::IntervalChanged& event) {
    config_.interval = event.interval;
    if (in(EnrollState::registered) && !must_register_ && !beat_in_flight_) {
        schedule_beat();
    }
}

void EnrollFsm::on(const enroll_event::TimerExpired&) {
    if (!wake_at_ || now_ < *wake_at_) {
        return;
    }
    wake_at_.reset();
    if (in(EnrollState::unregistered) || must_register_) {
        send_register();
    } else if (in(EnrollState::registered)) {
        send_heartbeat();
    }
}

void EnrollFsm::on(const enroll_event::Leave&) {
    if (in(EnrollState::leaving) || in(EnrollState::left)) {
        return;
    }
    wake_at_.reset();
    must_register_ = false;
    if (register_in_flight_) {
        enter(EnrollState::leaving);
    } else if (was_in_) {
        send_deregister();
    } else {
        enter(EnrollState::left);
    }
}

void EnrollFsm::on(const enroll_event::DeregisterAnswered&) {
    if (in(EnrollState::leaving)) {
        enter(EnrollState::left);
    }
}

void EnrollFsm::send_register() {
    wake_at_.reset();
    must_register_ = false;
    register_in_flight_ = true;
    enter(EnrollState::registering);
    actions_.emplace_back(enroll_action::SendRegister{});
}

void EnrollFsm::send_heartbeat() {
    wake_at_.reset();
    beat_in_flight_ = true;
    last_beat_ = now_;
    ++status_.beats;
    const Duration limit = std::clamp(interval(), config_.min_beat_limit, config_.call_limit);
    actions_.emplace_back(enroll_action::SendHeartbeat{.seq = sequence_.next(), .limit = limit});
}

void EnrollFsm::send_deregister() {
    enter(EnrollState::leaving);
    actions_.emplace_back(enroll_action::SendDeregister{});
}

void EnrollFsm::schedule_beat() {
    wait_until(std::max(now_, last_beat_ + interval()));
}

void EnrollFsm::enter(EnrollState state) {
    if (status_.state != state) {
        status_.state = state;
        status_.since = now_;
    }
}

void EnrollFsm::wait_until(Instant at) {
    wake_at_ = at;
    actions_.emplace_back(enroll_action::WaitUntil{.at = at});
}

Duration EnrollFsm::interval() const {
    const bool shorter = asked_interval_ > Duration{} && asked_interval_ < config_.interval;
    return std::max(shorter ? asked_interval_ : config_.interval, config_.min_interval);
}

}  // namespace orch::node::enroll
