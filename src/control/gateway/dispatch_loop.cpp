#include "control/gateway/dispatch_loop.hpp"

#include <algorithm>
#include <utility>

namespace orch::control::gateway {

DispatchLoop::DispatchLoop(
    async::EventLoop& control,
    async::AsyncClock& clock,
    async::TaskGroup& tasks,
    admission::AdmissionConfig admission,
    placement::PlacementPolicy policy,
    metrics::Registry& metrics,
    OnLoad on_load
)
    : control_(control),
      clock_(clock),
      tasks_(tasks),
      shard_(metrics.add_shard()),
      depth_(shard_.gauge(
          {.name = "queue_depth",
           .help =
               "Requests that wait for a slot, by served name; empty: requests without a model.",
           .labels = {"model", "priority"}}
      )),
      all_waiting_(shard_
                       .gauge(
                           {.name = "orchd_admission_queue_depth",
                            .help = "Requests and tasks that wait for a slot, of all models."}
                       )
                       .with({})),
      backpressure_(shard_.counter(
          {.name = "admission_backpressure_events_total",
           .help = "Requests and tasks that a full queue refused, by its policy.",
           .labels = {"policy"}}
      )),
      probe_(metrics),
      placements_(metrics),
      dispatcher_(
          admission,
          policy,
          [this](const std::string& name, admission::Priority priority, std::size_t depth) {
              depth_.with({name, to_string(priority)})->set(static_cast<double>(depth));
              all_waiting_->set(static_cast<double>(dispatcher_.waiting()));
          },
          [this](std::string_view name, admission::Priority priority) {
              probe_.enqueued(name, priority);
          },
          std::move(on_load)
      ) {}

DispatchLoop::Wait DispatchLoop::park(Executor waiter, Bid bid) {
    Wait wait{async::Handoff<Result<Grant>>(waiter), std::make_shared<admission::TicketId>()};
    control_.post([this, wait, bid = std::move(bid)]() mutable {
        *wait.ticket = dispatcher_.park(
            std::move(bid),
            clock_.now(),
            [grant = wait.grant](Result<Grant> outcome) mutable { grant.set(std::move(outcome)); }
        );
        count_turned_away();
        keep_ticking();
    });
    return wait;
}

Result<admission::TicketId> DispatchLoop::admit(Bid bid, OnDispatched on_dispatched) {
    auto ticket = dispatcher_.admit(std::move(bid), clock_.now(), std::move(on_dispatched));
    count_turned_away();
    keep_ticking();
    return ticket;
}

void DispatchLoop::count_turned_away() {
    const std::uint64_t all = dispatcher_.turned_away();
    if (all != turned_away_) {
        backpressure_.with({"reject"})->add(all - std::exchange(turned_away_, all));
    }
}

void DispatchLoop::cancel(const Wait& wait) {
    control_.post([this, ticket = wait.ticket] { dispatcher_.cancel(*ticket); });
}

void DispatchLoop::slot_freed(const PoolKey& pool) {
    control_.post([this, pool] { dispatcher_.slot_freed(pool, clock_.now()); });
}

void DispatchLoop::keep_ticking() {
    if (!ticking_ && dispatcher_.waiting() > 0) {
        ticking_ = true;
        tasks_.spawn(tick());
    }
}

Task<void> DispatchLoop::tick() {
    while (dispatcher_.waiting() > 0) {
        const Instant round = clock_.now() + kRound;
        const Instant next = std::min(round, dispatcher_.next_deadline().value_or(round));
        if (!co_await clock_.sleep_until(next)) {
            break;
        }
        dispatcher_.expire(clock_.now());
        dispatcher_.retry_refused(clock_.now());
    }
    ticking_ = false;
}

}  // namespace orch::control::gateway
