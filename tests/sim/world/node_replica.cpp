#include "sim/world/node_replica.hpp"

#include "sim/world/node_host.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <variant>

namespace orch::sim::world {

using namespace std::chrono_literals;
namespace lifecycle = node::lifecycle;
namespace action = lifecycle::engine_action;
namespace event = lifecycle::engine_event;
using lifecycle::ProbeOutcome;
using lifecycle::ReplicaState;

namespace {

constexpr Duration kLeaseLook = 50ms;
constexpr Duration kProbeLimit = 2s;

lifecycle::EngineConfig config() {
    lifecycle::EngineConfig config;
    config.start_timeout = 60s;
    return config;
}

}  // namespace

NodeReplica::NodeReplica(Parts parts, PoolId pool, ReplicaId id, Rng& rng)
    : parts_(std::move(parts)), pool_(std::move(pool)), id_(std::move(id)), fsm_(config(), rng) {}

void NodeReplica::start() {
    tell(event::StartWanted{});
}

void NodeReplica::stop(Duration drain) {
    tell(event::StopWanted{parts_.host.local() + drain});
}

void NodeReplica::forget() {
    forgotten_ = true;
    if (child_) {
        child_->on_exit = nullptr;
    }
}

bool NodeReplica::at_rest() const {
    return !running_ && status().state == ReplicaState::stopped;
}

void NodeReplica::connection_refused() {
    if (status().state != ReplicaState::ready || std::exchange(doubted_, true)) {
        return;
    }
    obey(action::Publish{});
    parts_.on_change();
    if (!probing_) {
        probe(probe_id_);
    }
}

void NodeReplica::tell(lifecycle::EngineEvent event) {
    if (forgotten_) {
        return;
    }
    events_.push_back(std::move(event));
    if (std::exchange(obeying_, true)) {
        return;
    }
    while (!events_.empty()) {
        const lifecycle::EngineEvent next = std::move(events_.front());
        events_.pop_front();
        for (const auto& asked : fsm_.resume(next, parts_.host.local())) {
            std::visit([this](const auto& what) { obey(what); }, asked);
        }
    }
    obeying_ = false;
    parts_.on_change();
}

void NodeReplica::later(Duration delay, void (NodeReplica::*act)()) {
    parts_.hub.heap.after(delay, [weak = weak_from_this(), act] {
        if (const auto self = weak.lock(); self && !self->forgotten_) {
            (*self.*act)();
        }
    });
}

// First the log file is made, on a disk that may be slow.
void NodeReplica::obey(const action::Spawn&) {
    if (running_ && !parts_.hub.sabotaged(Sabotage::doubled_engine)) {
        parts_.hub.referee.broken(fmt::format(
            "node {}: a second process is started for {}/{}",
            parts_.host.index(),
            pool_.str(),
            id_.str()
        ));
    }
    running_ = true;
    later(parts_.host.disk_delay(), &NodeReplica::launch);
    if (parts_.hub.sabotaged(Sabotage::doubled_engine) && parts_.hub.chance.yes(0.2)) {
        later(parts_.host.disk_delay(), &NodeReplica::launch);
    }
}

// The process runs before its record is written: its pid is part of it.
void NodeReplica::launch() {
    const auto child = parts_.host.spawn();
    if (!child) {
        running_ = false;
        tell(event::SpawnFailed{"the binary is missing"});
        return;
    }
    parts_.hub.heap.after(parts_.host.disk_delay(), [weak = weak_from_this(), child] {
        if (const auto self = weak.lock(); self && !self->forgotten_) {
            self->parts_.host.save_record({self->pool_, self->id_}, child->pid());
            self->launched(child);
        }
    });
}

void NodeReplica::launched(const std::shared_ptr<EngineProcess>& child) {
    inherited_.reset();
    parts_.table.set_slots_of_others(pool_, id_, 0);
    follow(child);
    tell(event::Spawned{child->pid()});
    if (child->state() == EngineProcess::State::gone) {
        exited();
    }
}

void NodeReplica::adopt(const std::shared_ptr<EngineProcess>& engine) {
    running_ = true;
    inherited_.emplace();
    follow(engine);
    tell(event::Adopted{engine->pid()});
}

void NodeReplica::follow(const std::shared_ptr<EngineProcess>& child) {
    child_ = child;
    child_->on_exit = [weak = weak_from_this()] {
        if (const auto self = weak.lock()) {
            self->exited();
        }
    };
    parts_.table.bind(
        pool_, id_, {.url = fmt::format("http://127.0.0.1:{}", child->pid()), .log_path = {}}
    );
}

void NodeReplica::exited() {
    parts_.host.remove_record({pool_, id_});
    parts_.hub.heap.after(parts_.host.disk_delay(), [weak = weak_from_this()] {
        const auto self = weak.lock();
        if (self && !self->forgotten_) {
            self->child_.reset();
            self->running_ = false;
            self->tell(event::ChildExited{lifecycle::EngineExit{.code = 1, .log_tail = {}}});
        }
    });
}

void NodeReplica::obey(const action::ProbeAt& asked) {
    probe_id_ = asked.probe;
    probing_ = false;
    const Instant due = parts_.host.global(asked.at);
    parts_.hub.heap.at(due, [weak = weak_from_this(), id = asked.probe] {
        if (const auto self = weak.lock(); self && !self->forgotten_ && self->probe_id_ == id) {
            self->probe(id);
        }
    });
}

void NodeReplica::probe(std::uint64_t id) {
    if (std::exchange(probing_, true)) {
        return;
    }
    const bool listens = child_ && child_->state() != EngineProcess::State::gone;
    const bool frozen = listens && child_->frozen();
    // An engine that works may say nothing for a while.
    const bool deaf = listens && child_->busy() > 0 && parts_.hub.chance.yes(0.002);
    ProbeOutcome outcome = ProbeOutcome::refused;
    if (frozen || deaf) {
        outcome = ProbeOutcome::no_answer;
    } else if (listens) {
        outcome = child_->state() == EngineProcess::State::loading ? ProbeOutcome::loading
                                                                   : ProbeOutcome::ok;
    }
    const Duration takes = frozen || deaf ? kProbeLimit : Duration(1ms);
    parts_.hub.heap.after(takes, [weak = weak_from_this(), id, outcome, frozen] {
        if (const auto self = weak.lock(); self && !self->forgotten_) {
            self->probed(id, outcome, frozen);
        }
    });
}

void NodeReplica::probed(std::uint64_t id, ProbeOutcome outcome, bool idle) {
    if (id != probe_id_) {
        return;
    }
    probing_ = false;
    const bool doubted = std::exchange(doubted_, false);
    if (inherited_ && child_ && outcome == ProbeOutcome::ok) {
        count_inherited();
    }
    tell(event::Probed{id, outcome, idle, "as the simulation has it"});
    if (doubted) {
        obey(action::Publish{});
        parts_.on_change();
    }
}

// Slots that still work for requests of the life before, until they are idle.
void NodeReplica::count_inherited() {
    const auto ours = find_cell()->claimed();
    const auto busy = static_cast<std::uint32_t>(child_->busy());
    parts_.table.set_slots_of_others(pool_, id_, inherited_->look(busy, ours));
    if (inherited_->none_left()) {
        inherited_.reset();
    }
}

void NodeReplica::obey(const action::Kill& asked) {
    if (child_) {
        child_->signal(asked.forcibly);
    }
}

void NodeReplica::obey(const action::CloseUpstreams&) {
    parts_.on_close_upstreams(id_);
}

void NodeReplica::obey(const action::WriteHandoff&) {}

void NodeReplica::obey(const action::Publish&) {
    lifecycle::EngineStatus told = status();
    if (told.state != ReplicaState::ready) {
        doubted_ = false;
    } else if (doubted_) {
        told.state = ReplicaState::starting;
    }
    parts_.table.set_status(pool_, id_, told, parts_.hub.clock.wall());
    if (told.state == ReplicaState::draining && !std::exchange(looking_, true)) {
        later(kLeaseLook, &NodeReplica::look_for_leases);
    }
}

void NodeReplica::look_for_leases() {
    looking_ = false;
    const auto cell = find_cell();
    if (cell != nullptr && cell->claimed() == 0) {
        tell(event::Drained{});
    }
    if (status().state == ReplicaState::draining && !std::exchange(looking_, true)) {
        later(kLeaseLook, &NodeReplica::look_for_leases);
    }
}

std::shared_ptr<const LoadCell> NodeReplica::find_cell() {
    const auto pool = parts_.table.snapshot()->find(pool_);
    const auto* const replica = pool == nullptr ? nullptr : pool->find(id_);
    return replica == nullptr ? nullptr : replica->cell;
}

void NodeReplica::obey(const action::WakeAt& asked) {
    const std::uint64_t wake = ++wake_;
    parts_.hub.heap.at(parts_.host.global(asked.at), [weak = weak_from_this(), wake] {
        if (const auto self = weak.lock(); self && self->wake_ == wake) {
            self->tell(event::TimerExpired{});
        }
    });
}

}  // namespace orch::sim::world
