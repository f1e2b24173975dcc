#include "node/lifecycle/engine_fsm.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace orch::node::lifecycle {
namespace {

CrashReason crash_of(const EngineExit& exit) {
    switch (classify_exit(exit)) {
        case ExitReason::ended:
            return CrashReason::exited;
        case ExitReason::killed:
            return CrashReason::killed;
        case ExitReason::port_lost:
            return CrashReason::port_lost;
        case ExitReason::out_of_memory:
            return CrashReason::out_of_memory;
        case ExitReason::cuda_error:
            return CrashReason::cuda_error;
        case ExitReason::model_error:
            return CrashReason::model_error;
    }
    return CrashReason::exited;
}

}  // namespace

EngineFsm::EngineFsm(EngineConfig config, Rng& rng)
    : config_(config), restart_(config_.restart, rng) {}

EngineActions EngineFsm::resume(const EngineEvent& event, Instant now) {
    now_ = now;
    actions_.clear();
    std::visit([this](const auto& what) { on(what); }, event);
    return std::exchange(actions_, {});
}

void EngineFsm::on(const engine_event::StartWanted&) {
    wanted_ = true;
    drain_held_ = false;
    leaving_ = false;
    if (in(ReplicaState::backing_off) || in(ReplicaState::broken)) {
        restart_.reset();
        status_.crash.reset();
        status_.circuit_open = false;
        spawn();
    } else if (in(ReplicaState::stopped)) {
        spawn();
    } else if (in(ReplicaState::draining)) {
        wake_at_.reset();
        enter(ReplicaState::ready);
    }
}

void EngineFsm::on(const engine_event::Spawned& event) {
    if (!std::exchange(awaiting_spawn_, false)) {
        return;
    }
    ++status_.starts;
    status_.pid = event.pid;
    actions_.emplace_back(engine_action::Publish{});
    if (in(ReplicaState::stopping)) {
        end_process(false);
    } else {
        probe_after(config_.eager_probe);
    }
}

void EngineFsm::on(const engine_event::SpawnFailed& event) {
    if (std::exchange(awaiting_spawn_, false)) {
        recover(
            CrashReason::spawn_failed, fmt::format("cannot be started: {}", event.reason), false
        );
    }
}

void EngineFsm::on(const engine_event::Adopted& event) {
    if (!in(ReplicaState::stopped)) {
        return;
    }
    wanted_ = true;
    attempt_since_ = now_;
    status_.pid = event.pid;
    enter(ReplicaState::starting);
    wake_at(now_ + config_.start_timeout);
    probe_after(Duration{});
}

void EngineFsm::on(const engine_event::Probed& event) {
    if (outstanding_probe_ != event.probe) {
        return;
    }
    outstanding_probe_.reset();
    if (is_coming_up()) {
        look_at_start(event);
    } else if (in(ReplicaState::ready) || in(ReplicaState::draining)) {
        look_at_service(event);
    }
}

void EngineFsm::look_at_start(const engine_event::Probed& event) {
    switch (event.outcome) {
        case ProbeOutcome::ok:
            serve();
            return;
        case ProbeOutcome::wrong_child:
            port_lost_ = true;
            end_failed(
                CrashReason::port_lost,
                fmt::format("its port serves something else: {}", event.detail),
                false
            );
            return;
        case ProbeOutcome::loading:
            if (in(ReplicaState::starting)) {
                enter(ReplicaState::loading);
            }
            break;
        case ProbeOutcome::no_answer:
            count_strike(event.process_idle, CrashReason::hung, event.detail);
            return;
        case ProbeOutcome::refused:
        case ProbeOutcome::failing:
            break;
    }
    strikes_ = 0;
    probe_after(start_probe_delay());
}

void EngineFsm::look_at_service(const engine_event::Probed& event) {
    switch (event.outcome) {
        case ProbeOutcome::ok:
            strikes_ = 0;
            restart_.settle(status_.ready_since, now_);
            status_.failures = restart_.failures();
            probe_after(config_.ready_probe);
            return;
        case ProbeOutcome::loading:
            load();
            return;
        case ProbeOutcome::no_answer:
            // A busy process is no hung one, however long it says nothing.
            count_strike(event.process_idle, CrashReason::hung, event.detail);
            return;
        case ProbeOutcome::failing:
            count_strike(true, CrashReason::bad_answers, event.detail);
            return;
        case ProbeOutcome::refused:
            end_failed(CrashReason::not_listening, "it listens no more", false);
            return;
        case ProbeOutcome::wrong_child:
            end_failed(
                CrashReason::port_lost,
                fmt::format("its port serves something else: {}", event.detail),
                false
            );
            return;
    }
}

void EngineFsm::on(const engine_event::ChildExited& event) {
    if (!status_.pid) {
        return;
    }
    const bool asked = in(ReplicaState::stopping) && !end_reason_;
    if (asked && wanted_ && !leaving_) {
        spawn();
        return;
    }
    const bool lost = is_coming_up() && classify_exit(event.exit) == ExitReason::port_lost;
    recover(
        end_reason_ ? end_crash_ : crash_of(event.exit),
        end_reason_.value_or(describe_exit(event.exit)),
        lost || port_lost_
    );
}

void EngineFsm::on(const engine_event::DrainWanted&) {
    drain_held_ = true;
    if (in(ReplicaState::ready)) {
        enter(ReplicaState::draining);
    }
}

void EngineFsm::on(const engine_event::StopWanted& event) {
    wanted_ = false;
    drain_held_ = false;
    leaving_ = false;
    switch (status_.state) {
        case ReplicaState::stopped:
        case ReplicaState::stopping:
            return;
        case ReplicaState::backing_off:
        case ReplicaState::broken:
            rest();
            return;
        case ReplicaState::starting:
        case ReplicaState::loading:
            end_process(false);
            return;
        case ReplicaState::ready:
        case ReplicaState::draining:
            break;
    }
    if (event.drain_until <= now_) {
        end_process(false);
        return;
    }
    if (in(ReplicaState::ready)) {
        enter(ReplicaState::draining);
    }
    wake_at(event.drain_until);
}

void EngineFsm::on(const engine_event::LeaveWanted&) {
    leaving_ = true;
    if (in(ReplicaState::backing_off) || in(ReplicaState::broken)) {
        rest();
    }
}

void EngineFsm::on(const engine_event::Drained&) {
    if (in(ReplicaState::draining) && !wanted_) {
        end_process(false);
    }
}

void EngineFsm::on(const engine_event::TimerExpired&) {
    if (!wake_at_ || now_ < *wake_at_) {
        return;
    }
    wake_at_.reset();
    switch (status_.state) {
        case ReplicaState::starting:
        case ReplicaState::loading:
            end_failed(
                CrashReason::start_timeout,
                fmt::format("not ready within {} s", to_ms(config_.start_timeout) / 1000),
                false
            );
            return;
        case ReplicaState::draining:
            end_process(false);
            return;
        case ReplicaState::stopping:
            press_on();
            return;
        case ReplicaState::backing_off:
        case ReplicaState::broken:
            spawn();
            return;
        case ReplicaState::stopped:
        case ReplicaState::ready:
            return;
    }
}

void EngineFsm::spawn() {
    attempt_since_ = now_;
    awaiting_spawn_ = true;
    port_lost_ = false;
    strikes_ = 0;
    end_reason_.reset();
    status_.pid.reset();
    status_.ready_since.reset();
    status_.backoff = {};
    enter(ReplicaState::starting);
    actions_.emplace_back(engine_action::Spawn{});
    wake_at(now_ + config_.start_timeout);
}

void EngineFsm::serve() {
    wake_at_.reset();
    strikes_ = 0;
    port_race_forgiven_ = false;
    status_.last_error.clear();
    status_.crash.reset();
    status_.circuit_open = false;
    status_.ready_since = status_.ready_since.value_or(now_);
    enter(drain_held_ ? ReplicaState::draining : ReplicaState::ready);
    actions_.emplace_back(engine_action::WriteHandoff{});
    probe_after(config_.ready_probe);
}

// It serves no more and says it will again. A drain goes on: nothing new arrives meanwhile.
void EngineFsm::load() {
    strikes_ = 0;
    if (in(ReplicaState::ready)) {
        attempt_since_ = now_;
        status_.ready_since.reset();
        enter(ReplicaState::loading);
        wake_at(now_ + config_.start_timeout);
    }
    probe_after(start_probe_delay());
}

void EngineFsm::count_strike(bool counts, CrashReason reason, std::string_view detail) {
    strikes_ = counts ? strikes_ + 1 : 0;
    if (strikes_ < config_.hang_strikes) {
        // A silence has taken its time already.
        probe_at(std::max(now_, probe_at_ + config_.ready_probe));
        return;
    }
    const char* const what = reason == CrashReason::hung ? "hung: no answer to" : "bad answers to";
    end_failed(reason, fmt::format("{} {} probes: {}", what, strikes_, detail), true);
}

void EngineFsm::end_failed(CrashReason reason, std::string why, bool forcibly) {
    // A drain that was to end in a stop does so now.
    if (wanted_) {
        end_reason_ = why;
        end_crash_ = reason;
    }
    status_.last_error = std::move(why);
    end_process(forcibly);
}

void EngineFsm::end_process(bool forcibly) {
    outstanding_probe_.reset();
    if (!in(ReplicaState::stopping)) {
        enter(ReplicaState::stopping);
    }
    if (!status_.pid) {
        wake_at_.reset();
        return;
    }
    signals_sent_ = forcibly ? 2 : 1;
    actions_.emplace_back(engine_action::Kill{.forcibly = forcibly});
    actions_.emplace_back(engine_action::CloseUpstreams{});
    wake_at(now_ + (forcibly ? config_.kill_grace : config_.stop_grace));
}

void EngineFsm::press_on() {
    actions_.emplace_back(engine_action::Kill{.forcibly = ++signals_sent_ > 2});
    wake_at(now_ + config_.kill_grace);
}

void EngineFsm::recover(CrashReason reason, std::string why, bool port_lost) {
    status_.pid.reset();
    if (!wanted_ || leaving_) {
        rest();
        return;
    }
    status_.last_error = std::move(why);
    status_.crash = reason;
    if (port_lost && !std::exchange(port_race_forgiven_, true)) {
        spawn();
        return;
    }
    const RestartDecision decision = restart_.decide_after_failure(status_.ready_since, now_);
    status_.failures = restart_.failures();
    status_.ready_since.reset();
    status_.backoff = decision.delay;
    status_.circuit_open = decision.broken;
    outstanding_probe_.reset();
    enter(decision.broken ? ReplicaState::broken : ReplicaState::backing_off);
    wake_at(now_ + decision.delay);
}

void EngineFsm::rest() {
    wake_at_.reset();
    outstanding_probe_.reset();
    end_reason_.reset();
    status_.ready_since.reset();
    status_.crash.reset();
    status_.backoff = {};
    status_.circuit_open = false;
    enter(ReplicaState::stopped);
}

void EngineFsm::enter(ReplicaState state) {
    status_.state = state;
    status_.since = now_;
    status_.failures = restart_.failures();
    actions_.emplace_back(engine_action::Publish{});
}

void EngineFsm::probe_after(Duration delay) {
    probe_at(now_ + delay);
}

void EngineFsm::probe_at(Instant at) {
    outstanding_probe_ = ++last_probe_;
    probe_at_ = at;
    actions_.emplace_back(engine_action::ProbeAt{.probe = last_probe_, .at = at});
}

void EngineFsm::wake_at(Instant at) {
    wake_at_ = at;
    actions_.emplace_back(engine_action::WakeAt{.at = at});
}

bool EngineFsm::is_coming_up() const {
    return in(ReplicaState::starting) || in(ReplicaState::loading);
}

Duration EngineFsm::start_probe_delay() const {
    const bool eager = now_ - attempt_since_ < config_.eager_for;
    return eager ? config_.eager_probe : config_.start_probe;
}

}  // namespace orch::node::lifecycle
