#include "sim/sim_gateway.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace orch::sim {

using control::gateway::AttemptAction;
using control::gateway::AttemptEvent;
using control::gateway::AttemptFsm;
using control::gateway::DispatchLoop;
using control::gateway::SlotClaim;
using Action = AttemptAction::Kind;
using Event = AttemptEvent::Kind;

namespace {

constexpr Duration kGlance = std::chrono::milliseconds(100);  // how fine the work of a node is cut

AttemptEvent of(Event kind) {
    return AttemptEvent{.kind = kind};
}

}  // namespace

struct SimGateway::Run {
    SimRequest* request;
    control::placement::PlacementRequest wish;
    AttemptFsm fsm{{.retries = 2}};
    std::optional<SlotClaim> claim;
    std::optional<DispatchLoop::Wait> wait;
    std::optional<Instant> waited_since;
    Machine* lease_of = nullptr;  // the node that works on it
    std::uint64_t life = 0;       // of that node
};

SimGateway::SimGateway(std::uint64_t seed, Limits limits)
    : limits_(limits),
      machines_(limits.nodes),
      cluster_(
          seed,
          limits.nodes,
          [this](std::size_t index) {
              api::PoolReport pool = sim_pool("chat", "qwen", limits_.slots);
              pool.active_leases = machines_[index].leases;
              pool.slots_free = limits_.slots - machines_[index].leases;
              return std::vector{pool};
          },
          [this](const control::view::ClusterViewPtr& view) {
              if (edge_state_) {
                  dispatch_->dispatcher().set_view(view, cluster_.now());
                  edge_state_->set_view(view);
              }
          }
      ) {
    dispatch_ = std::make_unique<DispatchLoop>(
        cluster_.control_loop(),
        cluster_.clock(),
        cluster_.tasks(),
        limits_.admission,
        control::placement::PlacementPolicy{},
        cluster_.metrics()
    );
    edge_ = std::make_unique<net::Edge>(0, cluster_.clock(), Logger(cluster_.sink(), "edge"));
    edge_state_ = std::make_unique<control::gateway::EdgeState>(
        *edge_,
        *dispatch_,
        control::placement::PlacementPolicy{},
        control::gateway::PlacementProbe(cluster_.metrics()),
        cluster_.metrics()
    );
    runs_ = std::make_unique<async::TaskGroup>(
        cluster_.control_loop().executor(),
        [this](const std::string& what) { defects_.push_back("an exception: " + what); }
    );
    for (std::size_t i = 0; i < limits_.nodes; ++i) {
        cluster_.start_node(i);
    }
    cluster_.run_for(control::fleet::RegistryBackend::kPublishWithin);
}

SimGateway::~SimGateway() {
    dispatch_->dispatcher().close();
    while (runs_->size() != 0) {
        runs_->cancel();
        cluster_.run_for(kGlance);
    }
}

std::size_t SimGateway::index_of(const PoolKey& key) const {
    return static_cast<std::size_t>(std::stoul(key.node.str().substr(1)));
}

SimRequest& SimGateway::arrive(std::string model, Duration work, Instant leaves) {
    SimRequest& request = *requests_.emplace_back(std::make_unique<SimRequest>());
    request.model = std::move(model);
    request.work = work;
    request.leaves = leaves;
    request.arrived = cluster_.now();
    Run& run = *running_.emplace_back(std::make_unique<Run>());
    run.request = &request;
    run.wish.model = request.model;
    runs_->spawn(serve(run));
    return request;
}

void SimGateway::lose_node(std::size_t index, Duration silence) {
    ++machines_[index].life;
    machines_[index].leases = 0;
    machines_[index].down_until = cluster_.now() + silence;
    cluster_.node(index).silent_until = cluster_.now() + silence;
}

// The order of InferenceRun::run().
Task<void> SimGateway::serve(Run& run) {
    AttemptEvent event = of(Event::start);
    for (;;) {
        AttemptAction action = run.fsm.resume(std::move(event));
        if (action.kind == Action::finish) {
            break;
        }
        if (action.kind == Action::answer_error || action.kind == Action::break_answer) {
            const bool queue = action.error.code == Errc::admission_reject;
            const bool broken = action.kind == Action::break_answer;
            run.request->endings.push_back(
                broken  ? Ending::broken
                : queue ? Ending::rejected
                        : Ending::failed
            );
            event = of(Event::answer_complete);
            continue;
        }
        event = co_await perform(run, action.kind);
        if (event.kind != Event::answer_complete && cluster_.now() >= run.request->leaves) {
            event = of(Event::client_gone);
            run.request->endings.push_back(Ending::client_left);
        }
    }
    end_lease(run);
    give_back(run);
}

Task<AttemptEvent> SimGateway::perform(Run& run, Action action) {
    switch (action) {
        case Action::place:
            co_return place(run);
        case Action::wait:
            co_return co_await wait(run);
        case Action::send:
            co_return co_await send(run);
        default:
            co_return co_await work(run);
    }
}

AttemptEvent SimGateway::place(Run& run) {
    run.wish.failed = run.fsm.failed();
    run.wish.exclude = run.fsm.refused();
    auto choice = edge_state_->choose(run.wish);
    if (choice.claim) {
        take_claim(run, std::move(*choice.claim));
        return {
            .kind = Event::placed, .pool = run.claim->pool().key, .life = run.claim->pool().life
        };
    }
    if (choice.rejection) {
        return {.kind = Event::rejected, .error = *choice.rejection};
    }
    return of(choice.all_excluded ? Event::all_excluded : Event::no_slot);
}

void SimGateway::take_claim(Run& run, SlotClaim claim) {
    const LoadCell& cell = *claim.pool().cell;
    ++held_[&cell];
    run.claim.emplace(std::move(claim));
    check(cell);
}

void SimGateway::give_back(Run& run) {
    if (run.claim) {
        const LoadCell& cell = *run.claim->pool().cell;
        check(cell);
        --held_[&cell];
        run.claim.reset();
        check(cell);
    }
}

// Every node reports all its slots all the time, so its cell's capacity never changes. A grant is
// on its way for a moment: claimed, and held by nobody.
void SimGateway::check(const LoadCell& cell) {
    if (cell.claimed() < held_[&cell] || cell.claimed() > limits_.slots) {
        defects_.push_back(fmt::format(
            "{} claims are held, {} counted, of {} slots",
            held_[&cell],
            cell.claimed(),
            limits_.slots
        ));
    }
}

void SimGateway::end_lease(Run& run) {
    Machine* const machine = std::exchange(run.lease_of, nullptr);
    if (machine != nullptr && machine->life == run.life) {
        --machine->leases;
    }
}

// A client that loses patience takes its wait back.
Task<void> leave_line(
    async::SimClock& clock, DispatchLoop& dispatch, DispatchLoop::Wait wait, Instant at
) {
    if (co_await clock.sleep_until(at)) {
        dispatch.cancel(wait);
    }
}

Task<AttemptEvent> SimGateway::wait(Run& run) {
    const Executor here = cluster_.control_loop().executor();
    run.wish.exclude.clear();
    run.wish.failed = run.fsm.failed();
    run.wait.emplace(
        dispatch_->park(here, control::gateway::Bid{run.wish, run.fsm.refused(), run.waited_since})
    );
    if (run.request->leaves != Instant::max()) {
        runs_->spawn(leave_line(cluster_.clock(), *dispatch_, *run.wait, run.request->leaves));
    }
    auto grant = co_await run.wait->grant.wait_to_end();
    run.wait.reset();
    if (!grant) {
        co_return AttemptEvent{.kind = Event::queue_failed, .error = grant.error()};
    }
    run.waited_since = grant->since;
    take_claim(run, SlotClaim(*dispatch_, grant->view, *grant->node, *grant->pool));
    co_return AttemptEvent{
        .kind = Event::granted, .pool = run.claim->pool().key, .life = run.claim->pool().life
    };
}

Task<AttemptEvent> SimGateway::send(Run& run) {
    Machine& machine = machines_[index_of(run.claim->pool().key)];
    if (!up(machine)) {
        const Instant until = cluster_.now() + std::chrono::seconds(5);
        for (const auto& pool : run.claim->node().pools) {
            pool.cell->suspect_until(until);
        }
        give_back(run);
        run.waited_since.reset();
        co_return AttemptEvent{
            .kind = Event::place_failed, .error = {Errc::worker_reset, "refused", {}}
        };
    }
    const bool unlucky = cluster_.rng().uniform() < limits_.refusals;
    if (unlucky || machine.leases >= limits_.slots) {
        give_back(run);
        co_return of(Event::lease_refused);
    }
    ++machine.leases;
    run.lease_of = &machine;
    run.life = machine.life;
    run.request->begun = cluster_.now();
    co_return of(Event::answer_begun);
}

// The engine's part, from the first byte to the last.
Task<AttemptEvent> SimGateway::work(Run& run) {
    const Instant done = cluster_.now() + run.request->work;
    const Instant end = std::min(done, run.request->leaves);
    bool alive = true;
    while (alive && cluster_.now() < end) {
        const Instant glance = std::min(end, cluster_.now() + kGlance);
        const bool slept = co_await cluster_.clock().sleep_until(glance);
        alive = slept && run.lease_of->life == run.life;
    }
    end_lease(run);
    give_back(run);
    if (!alive) {
        co_return AttemptEvent{
            .kind = Event::answer_broken, .error = {Errc::worker_reset, "the node is lost", {}}
        };
    }
    if (end == done) {
        run.request->endings.push_back(Ending::served);
    }
    co_return of(end == done ? Event::answer_complete : Event::client_gone);
}

std::uint64_t SimGateway::claimed() const {
    std::uint64_t sum = 0;
    for (const auto& node : edge_state_->view()->nodes()) {
        sum += node->pools.front().cell->claimed();
    }
    return sum;
}

std::uint64_t SimGateway::waiters() const {
    std::uint64_t sum = 0;
    for (const auto& node : edge_state_->view()->nodes()) {
        sum += node->pools.front().cell->waiters();
    }
    return sum;
}

}  // namespace orch::sim
