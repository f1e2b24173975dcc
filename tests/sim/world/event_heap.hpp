#pragma once

#include "base/clock.hpp"

#include <cstdint>
#include <functional>
#include <vector>

namespace orch::sim::world {

// What is going to happen, in order of time; what is due at the same instant happens in the order
// in which it was asked for. Single-threaded.
class EventHeap {
public:
    using Act = std::function<void()>;

    void at(Instant when, Act act);

    void after(Duration delay, Act act) { at(now_ + delay, std::move(act)); }

    // Jumps to the next event and lets it happen. False when there is none.
    bool step();

    Instant now() const { return now_; }

    std::uint64_t happened() const { return happened_; }

private:
    struct Event {
        Instant when;
        std::uint64_t ticket;
        Act act;
    };

    static bool later(const Event& a, const Event& b);

    std::vector<Event> events_;
    Instant now_ = Instant{} + std::chrono::hours(1);
    std::uint64_t tickets_ = 0;
    std::uint64_t happened_ = 0;
};

}  // namespace orch::sim::world
