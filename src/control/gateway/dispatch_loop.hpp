#pragma once

#include "async/async_clock.hpp"
#include "async/event_loop.hpp"
#include "async/task_group.hpp"
#include "control/gateway/dispatcher.hpp"
#include "control/gateway/gateway_probe.hpp"
#include "control/gateway/placement_probe.hpp"
#include "metrics/registry.hpp"

#include <cstdint>
#include <memory>

namespace orch::control::gateway {

// Gives the dispatcher its thread and its time. Any thread may call the posting members; the rest
// belongs to the control thread.
class DispatchLoop {
public:
    // How long a pool that refused a lease is left alone when nothing else tells of a free slot.
    static constexpr Duration kRound = std::chrono::milliseconds(100);

    DispatchLoop(
        async::EventLoop& control,
        async::AsyncClock& clock,
        async::TaskGroup& tasks,
        admission::AdmissionConfig admission,
        placement::PlacementPolicy policy,
        metrics::Registry& metrics,
        OnLoad on_load = {}
    );

    // Waits for a slot on behalf of a request of another loop. Returns cancelled when that loop's
    // task was cancelled.
    struct Wait {
        async::Handoff<Result<Grant>> grant;
        std::shared_ptr<admission::TicketId> ticket;  // control thread only
    };

    Wait park(Executor waiter, Bid bid);
    void cancel(const Wait& wait);

    void slot_freed(const PoolKey& pool);

    // Control thread, all that follow.
    Dispatcher& dispatcher() { return dispatcher_; }

    // Dispatcher::admit, with its time limit kept.
    Result<admission::TicketId> admit(Bid bid, OnDispatched on_dispatched);

    GatewayProbe& probe() { return probe_; }

    PlacementProbe& placements() { return placements_; }

private:
    void keep_ticking();
    void count_turned_away();
    Task<void> tick();

    async::EventLoop& control_;
    async::AsyncClock& clock_;
    async::TaskGroup& tasks_;
    metrics::Shard& shard_;
    metrics::Family<metrics::Gauge>& depth_;
    std::shared_ptr<metrics::Gauge> all_waiting_;
    metrics::Family<metrics::Counter>& backpressure_;
    std::uint64_t turned_away_ = 0;  // as told to the metric
    GatewayProbe probe_;
    PlacementProbe placements_;
    Dispatcher dispatcher_;
    bool ticking_ = false;
};

}  // namespace orch::control::gateway
