#include "control/gateway/attempt_fsm.hpp"

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

AttemptAction AttemptFsm::end_with(Action kind, Error error) {
    state_ = State::done;
    return {.kind = kind, .error = std::move(error)};
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
        case Event::placed: {
            pool_ = event.pool;
            return go(State::sending, Action::send);
        }
        case Event::no_slot:
            return go(State::waiting, Action::wait);
        case Event::all_excluded: {
            if (!refused_.empty()) {
                return go(State::waiting, Action::wait);
            }
            return nowhere_left({Errc::pool_unavailable, "no other pool can take the request", {}});
        }
        default:
            return nowhere_left(std::move(event.error));
    }
}

// A place that failed is the better explanation than that nothing is left after it.
AttemptAction AttemptFsm::nowhere_left(Error rejection) {
    return end_with(
        Action::answer_error, last_failure_ ? std::move(*last_failure_) : std::move(rejection)
    );
}

AttemptAction AttemptFsm::while_waiting(AttemptEvent event) {
    if (event.kind == Event::granted) {
        // A new round: pools that had no slot may be asked again.
        refused_.clear();
        pool_ = event.pool;
        return go(State::sending, Action::send);
    }
    return end_with(Action::answer_error, std::move(event.error));
}

AttemptAction AttemptFsm::while_sending(AttemptEvent event) {
    switch (event.kind) {
        case Event::lease_refused: {
            refused_.push_back(pool_);
            return go(State::placing, Action::place);
        }
        case Event::answer_begun: {
            ++attempts_;
            return go(State::relaying, Action::relay);
        }
        case Event::answer_complete: {
            ++attempts_;
            return go(State::done, Action::finish);
        }
        default:
            return place_failed(std::move(event.error));
    }
}

AttemptAction AttemptFsm::place_failed(Error error) {
    ++attempts_;
    failed_.push_back(pool_);
    if (failed_.size() > limits_.retries || !limits_.replayable || limits_.pinned) {
        return end_with(Action::answer_error, std::move(error));
    }
    last_failure_ = std::move(error);
    return go(State::placing, Action::place);
}

AttemptAction AttemptFsm::while_relaying(AttemptEvent event) {
    if (event.kind == Event::answer_broken) {
        return end_with(Action::break_answer, std::move(event.error));
    }
    return go(State::done, Action::finish);
}

}  // namespace orch::control::gateway
