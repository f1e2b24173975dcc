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
constexpr Duration kLeaseLook = 50ms;
constexpr std::size_t kFirstPort = 1000;

PoolId pool_name(std::size_t index) {
    return PoolId(fmt::format("p{}", index));
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
    spec.served_name =
        ServedName(fmt::format("m{}", (host_.index() + index) % hub_.options.models));
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

// Engines of an earlier life are adopted; those that are not wanted as they are, are ended first:
// SIGTERM, then SIGKILL.
void NodeDaemon::begin() {
    std::vector<std::shared_ptr<EngineProcess>> unwanted;
    const auto records = host_.records();
    const auto has_record = [&](const auto& engine) {
        return std::ranges::any_of(records, [&](const auto& at) {
            return at.second == engine->pid();
        });
    };
    for (const auto& engine : host_.running()) {
        if (!has_record(engine)) {
            hub_.note("a stray engine is ended", host_.index());
            engine->signal(false);
            unwanted.push_back(engine);
        }
    }
    for (const auto& [key, pid] : records) {
        const auto engine = host_.find(pid);
        if (!engine) {
            host_.remove_record(key);
        } else if (hub_.chance.yes(0.2)) {
            engine->signal(false);
            unwanted.push_back(engine);
        } else {
            hub_.note("an engine is adopted", host_.index(), static_cast<std::uint64_t>(pid));
            find(key.first, key.second)->adopt(engine);
        }
    }
    hub_.heap.after(unwanted.empty() ? 1ms : 5s, [weak = weak_from_this(), unwanted] {
        for (const auto& engine : unwanted) {
            engine->signal(true);
        }
        if (const auto self = weak.lock()) {
            self->hub_.heap.after(20ms, [weak] {
                if (const auto again = weak.lock(); again && !again->dead_) {
                    again->begun();
                }
            });
        }
    });
}

void NodeDaemon::begun() {
    beginning_ = false;
    if (on_rest_) {
        notice_rest();
        return;
    }
    table_.set_startable(true);
    for (std::size_t i = 0; i < hub_.options.pools; ++i) {
        if (!hub_.options.on_demand || !table_.snapshot()->find(pool_name(i))->at_rest()) {
            preload(i);
        }
    }
    publish();
}

NodeReplica* NodeDaemon::find(const PoolId& pool, const ReplicaId& replica) {
    for (const auto& mine : replicas_) {
        if (mine->pool() == pool && mine->id() == replica) {
            return mine.get();
        }
    }
    return nullptr;
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

Result<api::PoolStatus> NodeDaemon::load(const PoolId& pool) {
    if (beginning_ || on_rest_) {
        return fail(Errc::pool_unready, "the node is starting or stopping");
    }
    if (hub_.chance.yes(0.15)) {
        return fail(Errc::pool_unavailable, "it does not fit");
    }
    for (std::size_t i = 0; i < hub_.options.pools; ++i) {
        if (pool_name(i) == pool) {
            preload(i);
        }
    }
    return lifecycle::make_pool_status(*table_.snapshot()->find(pool), {});
}

std::size_t NodeDaemon::host_at(std::string_view address) {
    const std::string port(address.substr(address.rfind(':') + 1));
    return std::stoul(port) - kFirstPort;
}

std::size_t NodeDaemon::wanted_engines() {
    std::size_t engines = 0;
    for (const auto& pool : table_.snapshot()->pools) {
        engines += pool->loadable() ? 0 : pool->replicas.size();
    }
    return engines;
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
    table_.set_startable(false);
    tell(enroll::enroll_event::Leave{});
    for (const auto& replica : replicas_) {
        replica->stop(kDrainLimit);
    }
    notice_rest();
}

void NodeDaemon::stop_keeping(std::function<void()> on_rest) {
    if (on_rest_) {
        return;
    }
    on_rest_ = std::move(on_rest);
    table_.set_startable(false);
    for (std::size_t i = 0; i < hub_.options.pools; ++i) {
        table_.set_draining(pool_name(i), true);
    }
    publish();
    await_drained(host_.local() + kDrainLimit);
}

void NodeDaemon::await_drained(Instant until) {
    hub_.heap.after(kLeaseLook, [weak = weak_from_this(), until] {
        const auto self = weak.lock();
        if (!self || self->dead_) {
            return;
        }
        if (self->leases() != 0 && self->host_.local() < until) {
            self->await_drained(until);
            return;
        }
        for (const auto& replica : self->replicas_) {
            self->close_relays(replica->pool(), replica->id());
        }
        self->on_rest_();
    });
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
    std::map<PoolId, Standing> now;
    for (const auto& pool : pools->pools) {
        now[pool->spec->id] = {
            pool->ready(), pool->draining, pool->drained(), pool->loadable(), pool->broken()
        };
    }
    // The edge is another thread.
    hub_.heap.after(hub_.chance.between(1us, 300us), [weak = weak_from_this(), pools] {
        const auto self = weak.lock();
        if (self && pools->version > self->edge_view_->version) {
            self->edge_view_ = pools;
        }
    });
    if (std::exchange(standings_, now) != now) {
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
    message.address = fmt::format("http://10.0.0.1:{}", kFirstPort + host_.index());
    message.boot_id = fmt::format("b{}", boot_);
    for (const auto& pool : table_.snapshot()->pools) {
        message.pools.push_back(pool->spec->id);
    }
    const auto back =
        [&hub = hub_, node = host_.index(), weak = weak_from_this(), call](Answered event) {
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
    const auto back =
        [&hub = hub_, node = host_.index(), weak = weak_from_this(), call](Answered event) {
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

std::uint32_t NodeDaemon::leases() {
    std::uint32_t leases = 0;
    for (const auto& pool : table_.snapshot()->pools) {
        leases += pool->active_leases();
    }
    return leases;
}

}  // namespace orch::sim::world
