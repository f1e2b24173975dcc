#pragma once

#include "async/async_clock.hpp"
#include "base/clock.hpp"

#include <algorithm>
#include <functional>
#include <list>

namespace orch::net {

class DeadlineList;

// One time limit of one connection: armed before a wait, disarmed after it. When it passes,
// on_expiry ends the wait. Thread of its list.
class Deadline {
public:
    Deadline(DeadlineList& list, std::function<void()> on_expiry);
    ~Deadline();
    Deadline(const Deadline&) = delete;
    Deadline& operator=(const Deadline&) = delete;

    void arm(Duration from_now);

    void disarm() { at_ = Instant::max(); }

    bool armed() const { return at_ != Instant::max(); }

    // If armed: the limit is at most this long after arm().
    void shorten(Duration from_arming);

    Instant now() const;

    // True once the limit passed; stays true until the next arm().
    bool expired() const { return expired_; }

private:
    friend class DeadlineList;

    DeadlineList& list_;
    std::function<void()> on_expiry_;
    std::list<Deadline*>::iterator place_;
    Instant armed_at_{};
    Instant at_ = Instant::max();
    bool expired_ = false;
};

// All deadlines of one edge, asked every kTick: a timer per operation would cost 20-25 % of the
// throughput of a relay. They are walked only when one may have passed, so that thousands of
// connections that wait cost nothing.
class DeadlineList {
public:
    static constexpr Duration kTick = std::chrono::milliseconds(20);

    explicit DeadlineList(async::AsyncClock& clock) : clock_(clock) {}

    // Runs until cancelled.
    Task<void> run();

    void expire(Instant now);

    Instant now() const { return clock_.now(); }

private:
    friend class Deadline;

    void note(Instant at) { earliest_ = std::min(earliest_, at); }

    async::AsyncClock& clock_;
    // None passes before; one that was disarmed since may remain in it.
    Instant earliest_ = Instant::max();
    std::list<Deadline*> deadlines_;
    std::list<Deadline*>::iterator next_ = deadlines_.end();  // survives erasure while expiring
};

}  // namespace orch::net
