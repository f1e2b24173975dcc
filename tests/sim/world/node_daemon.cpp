#include "sim/world/node_daemon.hpp"

#include "node/lifecycle/pool_report.hpp"
#include "sim/world/control_plane.hpp"
#include "sim/world/node_host.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <variant>

namespace orch::sim::world {

using namespace std::chrono_literals;
namespace enroll = node::enroll;
namespace lifecycle = node::lifecycle;
using Kind = WireEvent::Kind;

namespace {

constexpr Duration kCallLimit = 5s;
constexpr Duration kDrainLimit = 30s;
constexpr Duration kSuspicion = 2s;
constexpr Duration kFirstLook = 300ms;
constexpr Duration kNextLook = 2100ms;

PoolId pool_name(std::size_t index) {
    return PoolId(fmt::format("p{}", index));
}

std::int64_t pid_of(const lifecycle::ReplicaView& replica) {
    return std::stoll(replica.url.substr(replica.url.rfind(':') + 1));
}

}  // namespace

NodeDaemon::NodeDaemon(Hub& hub, NodeHost& host, std::uint64_t boot)
    : hub_(hub),
      host_(host),
      boot_(boot),
      rng_(hub.chance.seed()),
      enroll_({}, sequence_, rng_),
      edge_view_(std::make_shared<lifecycle::PoolsView>()) {}

void NodeDaemon::start() {
    for (std::size_t i = 0; i < hub_.options.pools; ++i) {
        add_pool(i);
    }
    beginning_ = true;
    publish();
    begin();
    tell(enroll::enroll_event::Start{});
}

void NodeDaemon::add_pool(std::size_t index) {
    lifecycle::PoolSpec spec;
    spec.id = pool_name(index);
    spec.served_name = ServedName(
        fmt::format("m{}", (host_.index() + index) % hub_.options.models)
    );
    spec.slots = hub_.options.slots;
    spec.replicas = hub_.options.replicas;
    table_.put_pool(spec);
    for (std::uint32_t i = 0; i < spec.replicas; ++i) {
        const ReplicaId replica(fmt::format("r{}", i));
        table_.add_replica(spec.id, replica, spec.slots, false);
        const NodeReplica::Parts parts{
            hub_,
            host_,
            table_,
            [this] {
                publish();
                notice_rest();
            },
            [this, pool = spec.id](const ReplicaId& which) { close_relays(pool, which); }
        };
        replicas_.push_back(std::make_shared<NodeReplica>(parts, spec.id, replica, rng_));
    }
}

// Engines that an earlier life left behind are ended first: SIGTERM, then SIGKILL.
void NodeDaemon::begin() {
    const auto leftovers = host_.recorded();
    for (const auto& engine : leftovers) {
        engine->signal(false);
    }
    const auto all_gone = [leftovers] {
        return std::ranges::all_of(leftovers, [](const auto& engine) {
            return engine->state() == EngineProcess::State::gone;
        });
    };
    hub_.heap.after(all_gone() ? 0s : 5s, [weak = weak_from_this(), leftovers] {
        const auto self = weak.lock();
        if (!self || self->dead_) {
            return;
        }
        for (const auto& engine : leftovers) {
            engine->signal(true);
        }
        self->hub_.heap.after(20ms, [weak] {
            const auto again = weak.lock();
            if (!again || again->dead_) {
                return;
            }
            again->beginning_ = false;
            if (again->on_rest_) {
                again->notice_rest();
                return;
            }
            for (std::size_t i = 0; i < again->hub_.options.pools; ++i) {
                again->preload(i);
            }
        });
    });
}

void NodeDaemon::preload(std::size_t pool) {
    if (beginning_ || on_rest_) {
        return;
    }
    table_.set_draining(pool_name(pool), false);
    for (const auto& replica : replicas_) {
        if (replica->pool() == pool_name(pool)) {
            replica->start();
        }
    }
    publish();
}

void NodeDaemon::drain(std::size_t pool, Duration limit) {
    table_.set_draining(pool_name(pool), true);
    for (const auto& replica : replicas_) {
        if (replica->pool() == pool_name(pool)) {
            replica->stop(limit);
        }
    }
    publish();
}

void NodeDaemon::stop(std::function<void()> on_rest) {
    if (on_rest_) {
        return;
    }
    on_rest_ = std::move(on_rest);
    tell(enroll::enroll_event::Leave{});
    for (const auto& replica : replicas_) {
        replica->stop(kDrainLimit);
    }
    notice_rest();
}

void NodeDaemon::notice_rest() {
    const bool left = enroll_.status().state == enroll::EnrollState::left;
    const bool rest = on_rest_ && !dead_ && left && !beginning_ &&
                      std::ranges::all_of(replicas_, &NodeReplica::at_rest);
    if (rest) {
        // Behind whatever is being done right now.
        hub_.heap.after(Duration{}, [weak = weak_from_this()] {
            if (const auto self = weak.lock(); self && !self->dead_) {
                self->on_rest_();
            }
        });
    }
}

void NodeDaemon::die(bool tell_peers) {
    dead_ = true;
    for (const auto& replica : replicas_) {
        replica->forget();
    }
    for (Relay& relay : relays_) {
        relay.engine->abandon(relay.work);
        if (tell_peers) {
            send_to_edge(hub_, relay.call, {.kind = Kind::cut});
        }
    }
    relays_.clear();
}

void NodeDaemon::publish() {
    if (dead_) {
        return;
    }
    const auto pools = table_.snapshot();
    if (std::exchange(published_, pools->version) == pools->version) {
        return;
    }
    std::map<PoolId, bool> ready;
    for (const auto& pool : pools->pools) {
        ready[pool->spec->id] = pool->ready();
    }
    // The edge is another thread.
    hub_.heap.after(hub_.chance.between(1us, 300us), [weak = weak_from_this(), pools] {
        const auto self = weak.lock();
        if (self && pools->version > self->edge_view_->version) {
            self->edge_view_ = pools;
        }
    });
    if (std::exchange(ready_, ready) != ready) {
        tell(enroll::enroll_event::ReadinessChanged{});
    }
}

// --- enrolment

void NodeDaemon::tell(const enroll::EnrollEvent& event) {
    if (dead_) {
        return;
    }
    const bool had_left = enroll_.status().state == enroll::EnrollState::left;
    for (const enroll::EnrollAction& action : enroll_.resume(event, host_.local())) {
        std::visit([this](const auto& what) { perform(what); }, action);
    }
    if (!had_left && enroll_.status().state == enroll::EnrollState::left) {
        notice_rest();
    }
}

void NodeDaemon::perform(const enroll::enroll_action::WaitUntil& action) {
    const std::uint64_t wake = ++wake_;
    if (hub_.sabotaged(Sabotage::silent_node) && host_.index() == 0) {
        return;
    }
    hub_.heap.at(host_.global(action.at), [weak = weak_from_this(), wake] {
        if (const auto self = weak.lock(); self && self->wake_ == wake) {
            self->tell(enroll::enroll_event::TimerExpired{});
        }
    });
}

// Only the first answer to a call counts, its time limit included.
void NodeDaemon::answered(std::uint64_t call, const enroll::EnrollEvent& event) {
    for (auto* const open : {&register_call_, &beat_call_, &leave_call_}) {
        if (*open == call) {
            open->reset();
            tell(event);
            return;
        }
    }
}

void NodeDaemon::perform(const enroll::enroll_action::SendRegister&) {
    using enroll::RegisterOutcome;
    using Answered = enroll::enroll_event::RegisterAnswered;
    const std::uint64_t call = *(register_call_ = ++calls_);
    api::RegisterRequest message;
    message.node_id = NodeId(fmt::format("n{}", host_.index()));
    message.machine_id = MachineId(fmt::format("machine-{}", host_.index()));
    message.address = fmt::format("http://10.0.0.1:{}", 1000 + host_.index());
    message.boot_id = fmt::format("b{}", boot_);
    for (const auto& pool : table_.snapshot()->pools) {
        message.pools.push_back(pool->spec->id);
    }
    const auto back = [&hub = hub_, node = host_.index(), weak = weak_from_this(), call](Answered event) {
        hub.network.send(node, Way::to_node, [weak, call, event] {
            if (const auto self = weak.lock()) {
                self->answered(call, event);
            }
        });
    };
    hub_.network.send(host_.index(), Way::to_control, [&hub = hub_, message, back] {
        if (!hub.control) {
            back({RegisterOutcome::unreachable, {}, "refused"});
            return;
        }
        hub.control->register_node(message, [back](const Result<api::RegisterResponse>& answer) {
            if (answer) {
                back(
                    {RegisterOutcome::accepted,
                     std::chrono::milliseconds(answer->next_heartbeat_ms.value_or(0)),
                     {}}
                );
            } else {
                const bool conflict = answer.error().code == Errc::conflict;
                back(
                    {conflict ? RegisterOutcome::conflict : RegisterOutcome::refused,
                     {},
                     answer.error().message}
                );
            }
        });
    });
    hub_.heap.after(host_.global(kCallLimit), [weak = weak_from_this(), call] {
        if (const auto self = weak.lock()) {
            self->answered(call, Answered{RegisterOutcome::unreachable, {}, "no answer"});
        }
    });
}

void NodeDaemon::perform(const enroll::enroll_action::SendHeartbeat& action) {
    using enroll::HeartbeatOutcome;
    using Answered = enroll::enroll_event::HeartbeatAnswered;
    const std::uint64_t call = *(beat_call_ = ++calls_);
    api::HeartbeatRequest message;
    message.timestamp = "t";
    message.boot_id = fmt::format("b{}", boot_);
    message.seq = action.seq;
    message.pools = pool_reports();
    const auto back = [&hub = hub_, node = host_.index(), weak = weak_from_this(), call](Answered event) {
        hub.network.send(node, Way::to_node, [weak, call, event] {
            if (const auto self = weak.lock()) {
                self->answered(call, event);
            }
        });
    };
    const NodeId id(fmt::format("n{}", host_.index()));
    hub_.network.send(host_.index(), Way::to_control, [&hub = hub_, id, message, back] {
        if (!hub.control) {
            back({HeartbeatOutcome::unreachable, {}, "refused"});
            return;
        }
        hub.control->heartbeat(id, message, [back](const Result<api::HeartbeatResponse>& answer) {
            if (answer) {
                back(
                    {HeartbeatOutcome::accepted,
                     std::chrono::milliseconds(answer->next_heartbeat_ms),
                     {}}
                );
            } else {
                back({HeartbeatOutcome::unknown_node, {}, answer.error().message});
            }
        });
    });
    hub_.heap.after(host_.global(action.limit), [weak = weak_from_this(), call] {
        if (const auto self = weak.lock()) {
            self->answered(call, Answered{HeartbeatOutcome::unreachable, {}, "no answer"});
        }
    });
}

void NodeDaemon::perform(const enroll::enroll_action::SendDeregister&) {
    using Answered = enroll::enroll_event::DeregisterAnswered;
    const std::uint64_t call = *(leave_call_ = ++calls_);
    const NodeId id(fmt::format("n{}", host_.index()));
    const auto back = [&hub = hub_, node = host_.index(), weak = weak_from_this(), call] {
        hub.network.send(node, Way::to_node, [weak, call] {
            if (const auto self = weak.lock()) {
                self->answered(call, Answered{});
            }
        });
    };
    hub_.network.send(host_.index(), Way::to_control, [&hub = hub_, id, back] {
        if (hub.control) {
            hub.control->deregister(id, back);
        }
    });
    hub_.heap.after(host_.global(kCallLimit), [weak = weak_from_this(), call] {
        if (const auto self = weak.lock()) {
            self->answered(call, Answered{});
        }
    });
}

std::vector<api::PoolReport> NodeDaemon::pool_reports() {
    std::vector<api::PoolReport> reports;
    for (const auto& pool : table_.snapshot()->pools) {
        reports.push_back(lifecycle::make_pool_report(*pool, {}));
    }
    return reports;
}

// --- the data path, in the order of EngineRelay

void NodeDaemon::serve(const std::shared_ptr<Call>& call) {
    if (call->concluded && !hub_.chance.yes(0.5)) {
        return;  // its end was there before it was read
    }
    const auto pool = edge_view_->find(call->pool);
    if (!pool) {
        refuse(call, Errc::not_found);
    } else if (!pool->ready() || pool->draining) {
        refuse(call, Errc::pool_unready);
    } else if (auto lease = hub_.sabotaged(Sabotage::ignored_lease)
                                ? node::lease::Lease::none_needed(pool)
                                : node::lease::Lease::take(pool, host_.local())) {
        work(call, std::move(*lease));
    } else {
        refuse(call, Errc::replica_exhausted);
    }
}

void NodeDaemon::refuse(const std::shared_ptr<Call>& call, Errc code) {
    send_to_edge(hub_, call, {.kind = Kind::node_error, .code = code});
}

NodeDaemon::Relays::iterator NodeDaemon::find(std::uint64_t work) {
    return std::ranges::find(relays_, work, &Relay::work);
}

void NodeDaemon::work(const std::shared_ptr<Call>& call, node::lease::Lease lease) {
    const std::uint64_t work = ++works_;
    const auto engine = host_.find(pid_of(lease.replica()));
    EngineProcess::Listener listener;
    const auto self = weak_from_this();
    listener.on_piece = [this, call, work](std::uint32_t piece) {
        find(work)->begun = true;
        send_to_edge(hub_, call, {.kind = Kind::piece, .piece = piece});
    };
    listener.on_end = [this, call, work] {
        relays_.erase(find(work));
        send_to_edge(hub_, call, {.kind = Kind::end});
    };
    listener.on_cut = [this, work] { fail_relay(find(work)); };
    const Request& request = hub_.requests[call->request];
    if (!engine || !engine->begin(work, request, std::move(listener))) {
        lease.replica().cell->suspect_until(host_.local() + kSuspicion);
        for (const auto& replica : replicas_) {
            if (replica->pool() == call->pool && replica->id() == lease.replica().id) {
                replica->connection_refused();
            }
        }
        lease.release();
        refuse(call, Errc::worker_reset);
        return;
    }
    for (const auto& other : request.calls) {
        if (other != call && other->working && !other->concluded && !call->concluded) {
            hub_.referee.broken(fmt::format(
                "request {} runs on node {} while node {} works on it and nobody said it failed",
                call->request,
                call->node,
                other->node
            ));
        }
    }
    call->working = true;
    hub_.note("an engine works", host_.index(), call->request);
    relays_.push_back({call, std::move(lease), engine, work, false});
}

// Nothing more comes from the engine.
void NodeDaemon::fail_relay(Relays::iterator relay) {
    const std::shared_ptr<Call> call = relay->call;
    const bool begun = relay->begun;
    relay->lease->replica().cell->suspect_until(host_.local() + kSuspicion);
    if (hub_.sabotaged(Sabotage::leaked_lease)) {
        new node::lease::Lease(std::move(*relay->lease));  // NOLINT: lost on purpose
    }
    relays_.erase(relay);
    if (begun) {
        send_to_edge(hub_, call, {.kind = Kind::cut});
    } else {
        refuse(call, Errc::worker_reset);
    }
}

void NodeDaemon::close_relays(const PoolId& pool, const ReplicaId& replica) {
    for (auto at = relays_.begin(); at != relays_.end();) {
        const auto relay = at++;
        if (relay->call->pool == pool && relay->lease->replica().id == replica) {
            relay->engine->abandon(relay->work);
            fail_relay(relay);
        }
    }
}

void NodeDaemon::client_left(const std::shared_ptr<Call>& call) {
    const auto relay = std::ranges::find(relays_, call, &Relay::call);
    if (relay == relays_.end()) {
        return;
    }
    relay->engine->abandon(relay->work);
    linger(std::move(*relay->lease), relay->engine);
    relays_.erase(relay);
}

void NodeDaemon::linger(node::lease::Lease lease, const std::shared_ptr<EngineProcess>& engine) {
    if (!lease.held()) {
        return;
    }
    Lingering& watched = lingering_[engine->pid()];
    watched.leases.push_back(std::move(lease));
    if (!std::exchange(watched.watching, true)) {
        look_at(engine, kFirstLook);
    }
}

// As Lingering: kept until the engine's busy slots are no more than the relays that still run.
void NodeDaemon::look_at(const std::shared_ptr<EngineProcess>& engine, Duration pause) {
    hub_.heap.after(pause, [weak = weak_from_this(), engine] {
        const auto self = weak.lock();
        if (!self || self->dead_) {
            return;
        }
        Lingering& watched = self->lingering_[engine->pid()];
        const std::size_t busy = engine->frozen() ? 0 : engine->busy();
        while (!watched.leases.empty()) {
            const std::size_t claimed = watched.leases.front().replica().cell->claimed();
            const std::size_t lingering = watched.leases.size();
            const std::size_t live = claimed > lingering ? claimed - lingering : 0;
            if (busy >= live + lingering) {
                break;
            }
            watched.leases.pop_front();
        }
        if (watched.leases.empty()) {
            self->lingering_.erase(engine->pid());
        } else {
            self->look_at(engine, kNextLook);
        }
    });
}

std::uint32_t NodeDaemon::leases() {
    std::uint32_t leases = 0;
    for (const auto& pool : table_.snapshot()->pools) {
        leases += pool->active_leases();
    }
    return leases;
}

}  // namespace orch::sim::world
