#pragma once

#include "apps/engine_sim/sim_options.hpp"
#include "apps/engine_sim/slot_queue.hpp"
#include "apps/engine_sim/vocabulary.hpp"
#include "async/async_clock.hpp"
#include "async/task.hpp"
#include "base/rng.hpp"

#include <boost/asio/basic_waitable_timer.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <unordered_set>

namespace orch::engine_sim {

// Wakes one waiting coroutine at a time of its choice or when rung. A ring while nobody waits is
// lost: who waits looks at the state first. Thread of its executor.
class Alarm {
public:
    explicit Alarm(Executor executor) : timer_(executor) {}

    Task<void> wait_until(Instant when);

    void ring() { timer_.cancel(); }

private:
    asio::basic_waitable_timer<
        std::chrono::steady_clock,
        asio::wait_traits<std::chrono::steady_clock>,
        Executor>
        timer_;
};

// What all requests of the engine share. One thread.
struct EngineState {
    const SimOptions& options;
    async::AsyncClock& clock;
    Rng rng;
    SlotQueue slots;
    Vocabulary vocabulary;
    Instant loaded_at;
    Instant last_result;    // of any task; a wait for a result begins anew with each
    bool stopping = false;  // told to end: nothing is generated or sent any more
    std::uint64_t tasks = 0;
    std::unordered_set<Alarm*> running;  // one per generation request

    EngineState(const SimOptions& from, async::AsyncClock& time, std::uint64_t seed);

    bool loading() const { return clock.now() < loaded_at; }

    // 32 letters and digits.
    std::string random_id();
};

}  // namespace orch::engine_sim
