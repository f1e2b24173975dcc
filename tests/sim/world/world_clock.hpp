#pragma once

#include "async/async_clock.hpp"
#include "sim/world/event_heap.hpp"

#include <functional>
#include <utility>

namespace orch::sim::world {

// The time of a heap of events, for coroutines on any io_context that the simulation polls.
class WorldClock final : public async::AsyncClock {
public:
    // `on_wake` hears that a sleeper's io_context has something to do.
    WorldClock(EventHeap& heap, std::function<void()> on_wake)
        : heap_(heap), on_wake_(std::move(on_wake)) {}

    Instant now() const override { return heap_.now(); }

    WallTime wall() const override;
    Task<bool> sleep_until(Instant when) override;

private:
    EventHeap& heap_;
    std::function<void()> on_wake_;
};

}  // namespace orch::sim::world
