#pragma once

#include "base/result.hpp"
#include "base/strong_id.hpp"
#include "control/placement/placement_request.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

namespace orch::control::gateway {

// What the shell saw after it did what it was told.
struct AttemptEvent {
    enum class Kind {
        start,          // the request is read and its hints are understood
        placed,         // a slot of `pool` is claimed
        no_slot,        // pools fit, but every slot is busy or somebody waits already
        all_excluded,   // every pool that fits was asked in this round
        rejected,       // `error`: no pool fits now
        granted,        // the queue gave a slot of `pool`; in place of start: before the run began
        queue_failed,   // `error`: the queue is full, or the wait was too long
        lease_refused,  // the node has no slot, or does not serve the pool any more
        place_failed,   // `error`: node or engine gave no answer
        answer_begun,   // the first bytes went to the client
        answer_broken,  // `error`: the answer ended before its end; `resumable`: or can go on
        answer_complete,
        client_gone,
    };
    Kind kind;
    PoolKey pool{};
    Error error{};
    std::uint64_t life = 0;  // of `pool`
    bool resumable = false;
};

// What the shell is to do next.
struct AttemptAction {
    enum class Kind {
        place,         // choose a pool outside `excluded()` and claim a slot
        wait,          // park in the queue
        send,          // to the pool that was placed or granted
        relay,         // go on with the answer
        answer_error,  // `error`, as a whole answer
        break_answer,  // `error`, as the end of an answer that has begun
        finish,        // nothing is left to do
    };
    Kind kind;
    Error error{};
};

struct AttemptLimits {
    std::uint32_t retries = 2;  // further places after one that failed
    bool replayable = true;     // the body is kept, so it can be sent again
    bool pinned = false;        // one place was demanded, without fallback
};

// Another place after one that failed.
enum class SecondTry {
    retry,         // of the request: nothing reached the client
    continuation,  // of the answer: the client has its beginning
};

// One request's way through places. Sans-I/O: events in, actions out; no clock.
//
//          start               placed              answer_begun        answer_complete
//   Idle ---------> Placing --------> Sending ---------------> Relaying ---------------> Done
//                   ^  | ^ no_slot      |  |  place_failed        |   answer_broken       ^
//                   |  v |              |  +--> Placing (retry)   +-----------------------+
//                   | Waiting --------->+       or Done (error)   +--> Placing (continuation)
//                   |     granted       | lease_refused
//                   +-------------------+
//
// A refused lease is no attempt: each pool is asked once a round, then the request waits. A failed
// place counts, is not asked again while its engines are the same, and makes way for another until
// the retries are used up; when no other is there, the request waits for one, or for that one's
// next life. Once a byte has reached the client, an answer that breaks goes on elsewhere if it is
// resumable, and every error is the end of the answer instead of the whole of it. A pin allows no
// second try before that; behind it, the answer may go on where it is pinned. A client that leaves
// ends it in every state.
class AttemptFsm {
public:
    // `may_try`: asked once for each second try, when nothing else stands against it.
    using MayTry = std::function<bool(SecondTry)>;

    explicit AttemptFsm(AttemptLimits limits, MayTry may_try = {})
        : limits_(limits), may_try_(std::move(may_try)) {}

    AttemptAction resume(AttemptEvent event);

    // Pools that failed: not to be chosen again in this life.
    const std::vector<placement::PoolLife>& failed() const { return failed_; }

    // Pools that had no slot: not to be chosen in this round.
    const std::vector<PoolKey>& refused() const { return refused_; }

    // Places that took the request so far; refused leases do not count.
    std::uint32_t attempts() const { return attempts_; }

private:
    enum class State { idle, placing, waiting, sending, relaying, done };

    AttemptAction go(State state, AttemptAction::Kind kind);
    AttemptAction go_to(AttemptEvent event);
    AttemptAction end_with(Error error);
    AttemptAction while_placing(AttemptEvent event);
    AttemptAction while_waiting(AttemptEvent event);
    AttemptAction while_sending(AttemptEvent event);
    AttemptAction while_relaying(AttemptEvent event);
    AttemptAction place_failed(Error error);
    AttemptAction nowhere(Error rejection);
    bool may_try_again() const;

    AttemptLimits limits_;
    MayTry may_try_;
    State state_ = State::idle;
    placement::PoolLife place_;
    std::vector<placement::PoolLife> failed_;
    std::vector<PoolKey> refused_;
    std::uint32_t attempts_ = 0;
    bool begun_ = false;  // a byte has reached the client
    std::optional<Error> last_failure_;
};

}  // namespace orch::control::gateway
