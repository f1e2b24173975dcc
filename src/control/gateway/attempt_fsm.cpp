#include "control/gateway/attempt_fsm.hpp"

#include "api/error_body.hpp"

#include <utility>

namespace orch::control::gateway {
namespace {

using Event = AttemptEvent::Kind;
using Action = AttemptAction::Kind;

}  // namespace

AttemptAction AttemptFsm::go(State state, Action kind) {
    state_ = state;
    return {.kind = kind};
}

AttemptAction AttemptFsm::go_to(AttemptEvent event) {
    place_ = {std::move(event.pool), event.life};
    return go(State::sending, Action::send);
}

AttemptAction AttemptFsm::end_with(Error error) {
    state_ = State::done;
    return {
        .kind = begun_ ? Action::break_answer : Action::answer_error, .error = std::move(error)
    };
}

AttemptAction AttemptFsm::resume(AttemptEvent event) {
    if (event.kind == Event::client_gone) {
        return go(State::done, Action::finish);
    }
    switch (state_) {
        case State::idle:
            return event.kind == Event::granted ? while_waiting(std::move(event))
                                                : go(State::placing, Action::place);
        case State::placing:
            return while_placing(std::move(event));
        case State::waiting:
            return while_waiting(std::move(event));
        case State::sending:
            return while_sending(std::move(event));
        case State::relaying:
            return while_relaying(std::move(event));
        case State::done:
            break;
    }
    return {.kind = Action::finish};
}

AttemptAction AttemptFsm::while_placing(AttemptEvent event) {
    switch (event.kind) {
        case Event::placed:
            return go_to(std::move(event));
        case Event::no_slot:
            return go(State::waiting, Action::wait);
        case Event::all_excluded: {
            if (!refused_.empty()) {
                return go(State::waiting, Action::wait);
            }
            return nowhere({Errc::pool_unavailable, "no other pool can take the request", {}});
        }
        default:
            return nowhere(std::move(event.error));
    }
}

// After a failure the place may come back; before one, a cluster that has none says so.
AttemptAction AttemptFsm::nowhere(Error rejection) {
    if (last_failure_ && api::error_traits(rejection.code).retriable) {
        return go(State::waiting, Action::wait);
    }
    return end_with(last_failure_ ? std::move(*last_failure_) : std::move(rejection));
}

// A place that failed is the better explanation than that nothing came after it.
AttemptAction AttemptFsm::while_waiting(AttemptEvent event) {
    if (event.kind == Event::granted) {
        // A new round: pools that had no slot may be asked again.
        refused_.clear();
        return go_to(std::move(event));
    }
    return end_with(last_failure_ ? std::move(*last_failure_) : std::move(event.error));
}

AttemptAction AttemptFsm::while_sending(AttemptEvent event) {
    switch (event.kind) {
        case Event::lease_refused: {
            refused_.push_back(place_.key);
            return go(State::placing, Action::place);
        }
        case Event::answer_begun: {
            ++attempts_;
            begun_ = true;
            return go(State::relaying, Action::relay);
        }
        case Event::answer_complete: {
            ++attempts_;
            return go(State::done, Action::finish);
        }
        case Event::answer_broken: {
            ++attempts_;
            return end_with(std::move(event.error));
        }
        default: {
            ++attempts_;
            const bool held = limits_.pinned && !begun_;
            return held ? end_with(std::move(event.error)) : place_failed(std::move(event.error));
        }
    }
}

bool AttemptFsm::may_try_again() const {
    return failed_.size() <= limits_.retries && limits_.replayable &&
           (!may_try_ || may_try_(begun_ ? SecondTry::continuation : SecondTry::retry));
}

AttemptAction AttemptFsm::place_failed(Error error) {
    failed_.push_back(place_);
    if (!may_try_again()) {
        return end_with(std::move(error));
    }
    last_failure_ = std::move(error);
    return go(State::placing, Action::place);
}

AttemptAction AttemptFsm::while_relaying(AttemptEvent event) {
    if (event.kind != Event::answer_broken) {
        return go(State::done, Action::finish);
    }
    return event.resumable ? place_failed(std::move(event.error))
                           : end_with(std::move(event.error));
}

}  // namespace orch::control::gateway
