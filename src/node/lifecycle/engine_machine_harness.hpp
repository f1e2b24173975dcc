#pragma once

#include "base/rng.hpp"
#include "node/lifecycle/engine_fsm.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace orch::node::lifecycle {

// Drives an engine machine in virtual time: remembers what it asked for last, and obeys.
template <class Fsm>
class EngineMachineHarness {
public:
    explicit EngineMachineHarness(Fsm machine) : fsm(std::move(machine)) {}

    void tell(const EngineEvent& event) {
        actions = fsm.resume(event, now);
        for (const EngineAction& action : actions) {
            if (const auto* wake = std::get_if<engine_action::WakeAt>(&action)) {
                wake_at = wake->at;
            }
            if (const auto* probe = std::get_if<engine_action::ProbeAt>(&action)) {
                next_probe = *probe;
            }
        }
    }

    // Answers the outstanding probe when it is due.
    void answer(ProbeOutcome outcome, bool process_idle = false) {
        const engine_action::ProbeAt asked = next_probe.value();
        next_probe.reset();
        now = std::max(now, asked.at);
        tell(engine_event::Probed{asked.probe, outcome, process_idle, "detail"});
    }

    // Lets the timer it asked for expire, exactly then.
    void expire() {
        now = std::exchange(wake_at, std::nullopt).value();
        tell(engine_event::TimerExpired{});
    }

    void exit(int code, std::string log = {}) {
        tell(engine_event::ChildExited{EngineExit{.code = code, .log_tail = std::move(log)}});
    }

    template <class Action>
    const Action* find() const {
        for (const EngineAction& action : actions) {
            if (const auto* found = std::get_if<Action>(&action)) {
                return found;
            }
        }
        return nullptr;
    }

    template <class Action>
    bool asked_for() const {
        return find<Action>() != nullptr;
    }

    ReplicaState state() const { return fsm.status().state; }

    Instant now = Instant{} + std::chrono::hours(1);
    Fsm fsm;
    EngineActions actions;
    std::optional<Instant> wake_at;
    std::optional<engine_action::ProbeAt> next_probe;
};

}  // namespace orch::node::lifecycle
