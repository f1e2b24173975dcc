#pragma once

#include "base/clock.hpp"

#include <atomic>
#include <cstdint>

namespace orch {

// The only words that a control thread and the edge threads of a daemon share about one pool:
// how many slots are claimed, how many requests wait for one, how many there are, and until when
// the pool is suspect. Held by shared_ptr; any thread may call any member.
//
// claimed and waiters live in one 64-bit word, so that "nobody waits and a slot is free" is one
// comparison: an edge can never overtake the queue. To park a request the control thread raises
// the waiters of every candidate cell first, then tries once more, then parks: a slot freed in
// between is seen by that last try or by the release.
class LoadCell {
public:
    explicit LoadCell(std::uint32_t capacity = 0, std::uint32_t waiters = 0);

    // An edge's claim: only while nobody waits and a slot is free.
    bool try_claim();

    // The control thread's claim on behalf of the request at the head of the queue.
    bool claim_for_waiter();

    // Gives a claimed slot back. True when somebody waits: the caller must tell the control thread.
    [[nodiscard]] bool release();

    void add_waiter();
    void remove_waiter();

    // Slots that may be claimed in all; may fall below what is claimed now.
    void set_capacity(std::uint32_t capacity);

    std::uint32_t capacity() const { return capacity_.load(); }

    std::uint32_t claimed() const { return static_cast<std::uint32_t>(word_.load()); }

    std::uint32_t waiters() const { return static_cast<std::uint32_t>(word_.load() >> 32U); }

    // All three at one moment.
    struct Figures {
        std::uint32_t claimed;
        std::uint32_t waiters;
        std::uint32_t capacity;

        // What try_claim() and claim_for_waiter() would find.
        bool claimable() const { return waiters == 0 && claimed < capacity; }

        bool claimable_for_waiter() const { return claimed < capacity; }
    };

    Figures figures() const {
        const std::uint64_t word = word_.load();
        return {
            static_cast<std::uint32_t>(word),
            static_cast<std::uint32_t>(word >> 32U),
            capacity_.load(),
        };
    }

    // A refused connection makes a pool suspect: nobody is sent there while there are others.
    void suspect_until(Instant until);

    // The place answers. Requests that failed in a row keep a pool suspect all the same.
    void clear_suspicion();

    bool suspect(Instant now) const {
        return now.time_since_epoch().count() < suspect_until_.load();
    }

    // The circuit breaker of requests that failed where the place itself did not refuse them:
    //
    //   closed -- kTripAfter failures in a row --> open: suspect for kFirstPause, doubled with each
    //                                              trial that fails up to kLongestPause; what else
    //                                              fails meanwhile was under way before
    //   open -- the pause is over --> half open: the next request that claims a slot is a trial,
    //   and
    //                                 the pool is suspect to the others until it ends
    //   half open -- note_success() --> closed, -- note_failure() --> open, -- neither within
    //                kTrialLimit --> half open: another trial
    static constexpr std::uint32_t kTripAfter = 3;
    static constexpr Duration kFirstPause = std::chrono::seconds(5);
    static constexpr Duration kLongestPause = std::chrono::seconds(60);
    static constexpr Duration kTrialLimit = std::chrono::seconds(30);

    // Of two failures at the very same time one may be lost.
    void note_failure(Instant now);
    void note_success();

    // Whoever has claimed a slot says so.
    void claimed_at(Instant now);

    bool tripped() const { return failures_.load() >= kTripAfter; }

    // How long a slot was held for an answer that came to its end. The mean forgets: each newcomer
    // weighs an eighth, and of two at the very same time one may be lost. Zero: none yet.
    void note_service(Duration held);
    Duration mean_service() const;

private:
    bool claim_if(bool even_with_waiters);

    std::atomic<std::uint64_t> word_;  // waiters in the high half, claimed in the low half
    std::atomic<std::uint32_t> capacity_;
    std::atomic<std::uint32_t> failures_{0};      // in a row; the highest bit: a trial is under way
    std::atomic<std::int64_t> suspect_until_{0};  // nanoseconds of Instant; 0 = never suspected
    std::atomic<std::int64_t> mean_service_{0};   // nanoseconds
};

}  // namespace orch
