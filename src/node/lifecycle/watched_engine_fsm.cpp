#include "node/lifecycle/watched_engine_fsm.hpp"

#include <fmt/format.h>

#include <utility>

namespace orch::node::lifecycle {

EngineActions WatchedEngineFsm::resume(const EngineEvent& event, Instant now) {
    now_ = now;
    actions_.clear();
    std::visit([this](const auto& what) { on(what); }, event);
    return std::exchange(actions_, {});
}

void WatchedEngineFsm::on(const engine_event::StartWanted&) {
    drain_held_ = false;
    stop_at_.reset();
    if (in(ReplicaState::draining)) {
        enter(ReplicaState::ready);
    } else if (in(ReplicaState::stopped)) {
        enter(ReplicaState::starting);
        probe_after(Duration{});
    }
}

void WatchedEngineFsm::on(const engine_event::Probed& event) {
    if (outstanding_probe_ == event.probe) {
        outstanding_probe_.reset();
        look(event);
        probe_after(config_.ready_probe);
    }
}

void WatchedEngineFsm::look(const engine_event::Probed& event) {
    const bool bad =
        event.outcome == ProbeOutcome::no_answer || event.outcome == ProbeOutcome::failing;
    strikes_ = bad ? strikes_ + 1 : 0;
    switch (event.outcome) {
        case ProbeOutcome::ok:
            serve();
            return;
        case ProbeOutcome::loading:
            if (!in(ReplicaState::loading) && !in(ReplicaState::draining)) {
                status_.ready_since.reset();
                enter(ReplicaState::loading);
            }
            return;
        case ProbeOutcome::no_answer:
        case ProbeOutcome::failing:
            if (strikes_ >= config_.hang_strikes) {
                lose(fmt::format(
                    "no good answer to {} probes: {}", config_.hang_strikes, event.detail
                ));
            }
            return;
        case ProbeOutcome::refused:
            lose("nothing listens there");
            return;
        case ProbeOutcome::wrong_child:
            lose(fmt::format("something else serves there: {}", event.detail));
            return;
    }
}

void WatchedEngineFsm::on(const engine_event::DrainWanted&) {
    drain_held_ = true;
    if (in(ReplicaState::ready)) {
        enter(ReplicaState::draining);
    }
}

void WatchedEngineFsm::on(const engine_event::StopWanted& event) {
    if (!serves() || event.drain_until <= now_) {
        stop();
        return;
    }
    stop_at_ = event.drain_until;
    if (in(ReplicaState::ready)) {
        enter(ReplicaState::draining);
    }
    actions_.emplace_back(engine_action::WakeAt{.at = event.drain_until});
}

void WatchedEngineFsm::on(const engine_event::Drained&) {
    if (in(ReplicaState::draining) && stop_at_) {
        stop();
    }
}

void WatchedEngineFsm::on(const engine_event::TimerExpired&) {
    if (stop_at_ && now_ >= *stop_at_) {
        stop();
    }
}

void WatchedEngineFsm::serve() {
    if (serves()) {
        return;
    }
    status_.last_error.clear();
    status_.failures = 0;
    status_.ready_since = now_;
    enter(drain_held_ ? ReplicaState::draining : ReplicaState::ready);
}

void WatchedEngineFsm::lose(std::string why) {
    const bool told = in(ReplicaState::backing_off) && status_.last_error == why;
    ++status_.failures;
    if (stop_at_) {
        stop();
    } else if (!told) {
        status_.last_error = std::move(why);
        status_.ready_since.reset();
        enter(ReplicaState::backing_off);
    }
}

void WatchedEngineFsm::stop() {
    if (in(ReplicaState::stopped)) {
        return;
    }
    if (in(ReplicaState::draining)) {
        actions_.emplace_back(engine_action::CloseUpstreams{});
    }
    stop_at_.reset();
    outstanding_probe_.reset();
    status_.ready_since.reset();
    enter(ReplicaState::stopped);
}

void WatchedEngineFsm::enter(ReplicaState state) {
    status_.state = state;
    status_.since = now_;
    actions_.emplace_back(engine_action::Publish{});
}

void WatchedEngineFsm::probe_after(Duration delay) {
    if (in(ReplicaState::stopped)) {
        return;
    }
    outstanding_probe_ = ++last_probe_;
    actions_.emplace_back(engine_action::ProbeAt{.probe = last_probe_, .at = now_ + delay});
}

}  // namespace orch::node::lifecycle
