#include "sim/world/node_daemon.hpp"
#include "sim/world/node_host.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

// The data path of a node, in the order of its EngineRelay.
namespace orch::sim::world {

using namespace std::chrono_literals;
namespace lifecycle = node::lifecycle;
using Kind = WireEvent::Kind;

namespace {

constexpr Duration kSuspicion = 2s;
constexpr Duration kFirstLook = 300ms;
constexpr Duration kNextLook = 2100ms;

std::int64_t pid_of(const lifecycle::ReplicaView& replica) {
    return std::stoll(replica.url.substr(replica.url.rfind(':') + 1));
}

}  // namespace

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
    const std::uint64_t work = host_.next_work();
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
    if (!engine || !engine->begin(work, request, call->from, std::move(listener))) {
        lease.replica().cell->suspect_until(host_.local() + kSuspicion);
        find(call->pool, lease.replica().id)->connection_refused();
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
        lose(std::move(*relay->lease));
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

}  // namespace orch::sim::world
