#pragma once

#include "async/async_clock.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <utility>

namespace orch::async {

// Virtual time for one io_context: run_until() runs what is ready, then jumps to the next sleeper.
// A day of heartbeats of a hundred nodes takes well under a second. One thread only.
class SimClock final : public AsyncClock {
public:
    // Requires: `context` outlives the clock and is run by nobody else.
    explicit SimClock(asio::io_context& context);
    ~SimClock() override;

    Instant now() const override;
    WallTime wall() const override;
    Task<bool> sleep_until(Instant when) override;

    // Runs everything that is due up to and including `end`, then sets the time to it.
    void run_until(Instant end);
    void run_for(Duration duration);

private:
    struct Sleeper;
    using Key = std::pair<Instant, std::uint64_t>;  // ties wake in the order they fell asleep

    void run_ready();

    asio::io_context& context_;
    Instant now_{};
    std::uint64_t next_ticket_ = 0;
    std::map<Key, std::shared_ptr<Sleeper>> sleepers_;
};

}  // namespace orch::async
