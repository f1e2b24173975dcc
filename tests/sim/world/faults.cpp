#include "sim/world/faults.hpp"

#include "sim/world/control_plane.hpp"
#include "sim/world/node_host.hpp"

#include <fmt/format.h>

#include <functional>
#include <utility>

namespace orch::sim::world {

using namespace std::chrono_literals;

namespace {

constexpr std::array kWays{Way::to_node, Way::to_control};

}  // namespace

void Faults::begin() {
    next();
}

void Faults::next() {
    hub_.heap.after(hub_.chance.gap(hub_.options.between_faults), [this] {
        if (hub_.calm) {
            return;
        }
        strike(static_cast<Fault>(hub_.chance.below(kFaults)));
        next();
    });
}

void Faults::until(Duration span, std::function<void()> heal) {
    hub_.heap.after(span, std::move(heal));
}

void Faults::strike(Fault fault) {
    NodeHost& host = *hub_.hosts[hub_.chance.below(hub_.hosts.size())];
    hub_.note(kFaultNames[static_cast<std::size_t>(fault)], host.index());
    ++counts_[static_cast<std::size_t>(fault)];
    switch (fault) {
        case Fault::engine_crash:
        case Fault::engine_freeze:
            strike_engine(host, fault);
            return;
        case Fault::daemon_crash:
        case Fault::daemon_restart:
        case Fault::machine_off:
            strike_daemon(host, fault);
            return;
        case Fault::control_crash:
        case Fault::control_stop:
        case Fault::control_stall:
        case Fault::edge_stall:
            strike_control(fault);
            return;
        case Fault::partition:
        case Fault::one_way:
        case Fault::slow_link:
        case Fault::bad_link:
            strike_network(host.index(), fault);
            return;
        case Fault::slow_disk:
        case Fault::failing_spawn:
        case Fault::cordon:
        case Fault::pool_drain:
            strike_node(host, fault);
            return;
    }
}

void Faults::strike_engine(NodeHost& host, Fault fault) {
    const auto running = host.running();
    if (running.empty()) {
        return;
    }
    const auto engine = running[hub_.chance.below(running.size())];
    if (fault == Fault::engine_crash) {
        engine->die();
        return;
    }
    engine->freeze(true);
    until(hub_.chance.between(100ms, 20s), [engine] { engine->freeze(false); });
}

void Faults::strike_daemon(NodeHost& host, Fault fault) {
    const Duration pause = hub_.chance.between(10ms, 50s);
    if (fault == Fault::daemon_restart) {
        host.stop_daemon(pause, hub_.chance.yes(0.5));
        return;
    }
    if (fault == Fault::machine_off) {
        host.power_off();
    } else {
        host.crash_daemon();
    }
    until(pause, [&host] { host.start_daemon(); });
}

void Faults::strike_control(Fault fault) {
    if (!hub_.control) {
        return;
    }
    switch (fault) {
        case Fault::control_crash:
            // With a thousand nodes it is not hit a thousand times as often.
            if (hub_.chance.yes(2.0 / static_cast<double>(hub_.hosts.size() + 3))) {
                restart_control();
            }
            return;
        case Fault::control_stop:
            if (hub_.chance.yes(2.0 / static_cast<double>(hub_.hosts.size() + 3))) {
                hub_.control->close_queue();
                until(1s, [this] { restart_control(); });
            }
            return;
        case Fault::control_stall:
            hub_.control->stall(hub_.chance.between(1ms, 400ms));
            return;
        default:
            hub_.control->stall_edge(
                hub_.chance.below(hub_.options.edges), hub_.chance.between(1ms, 400ms)
            );
            return;
    }
}

void Faults::restart_control() {
    if (!hub_.control) {
        return;
    }
    cordons_ = hub_.control->cordoned();
    hub_.control.reset();
    hub_.note("the control plane is down");
    until(hub_.chance.between(50ms, 15s), [this] {
        if (hub_.control) {
            return;  // the time of faults has ended meanwhile
        }
        hub_.control = std::make_unique<ControlPlane>(hub_, cordons_);
    });
}

void Faults::strike_network(std::size_t node, Fault fault) {
    Network& network = hub_.network;
    const Duration span = hub_.chance.between(100ms, 70s);
    if (fault == Fault::slow_link || fault == Fault::bad_link) {
        Network::Weather bad;
        if (fault == Fault::slow_link) {
            bad.slowness = hub_.chance.between(20ms, 3s);
        } else {
            bad = {.loss = 0.4, .doubled = 0.3, .late = 0.5, .lateness = 15s};
        }
        network.set_weather(node, bad);
        until(span, [&network, node] { network.set_weather(node, {}); });
        return;
    }
    const std::size_t only = hub_.chance.below(kWays.size());
    for (std::size_t i = 0; i < kWays.size(); ++i) {
        if (fault == Fault::partition || i == only) {
            network.cut(node, kWays[i]);
            until(span, [&network, node, i] { network.heal(node, kWays[i]); });
        }
    }
}

void Faults::strike_node(NodeHost& host, Fault fault) {
    const Duration span = hub_.chance.between(1s, 60s);
    switch (fault) {
        case Fault::slow_disk:
            host.disk_slowness = hub_.chance.between(100ms, 5s);
            until(span, [&host] { host.disk_slowness = {}; });
            return;
        case Fault::failing_spawn:
            host.spawn_fails = true;
            until(span, [&host] { host.spawn_fails = false; });
            return;
        case Fault::cordon: {
            const NodeId node(fmt::format("n{}", host.index()));
            if (hub_.control) {
                hub_.control->cordon(node, true);
            }
            until(span, [this, node] {
                if (hub_.control) {
                    hub_.control->cordon(node, false);
                }
            });
            return;
        }
        default: {
            const std::size_t pool = hub_.chance.below(hub_.options.pools);
            if (host.daemon() != nullptr) {
                host.daemon()->drain(pool, hub_.chance.between(Duration{}, Duration(40s)));
            }
            until(span, [&host, pool] {
                if (host.daemon() != nullptr) {
                    host.daemon()->preload(pool);
                }
            });
            return;
        }
    }
}

void Faults::end() {
    for (const auto& host : hub_.hosts) {
        for (const Way way : kWays) {
            hub_.network.heal(host->index(), way);
        }
        hub_.network.set_weather(host->index(), {.loss = 0, .doubled = 0, .late = 0});
        host->disk_slowness = {};
        host->spawn_fails = false;
        host->start_daemon();
        for (std::size_t pool = 0; pool < hub_.options.pools; ++pool) {
            host->daemon()->preload(pool);
        }
        for (const auto& engine : host->running()) {
            engine->freeze(false);
        }
    }
    if (!hub_.control) {
        hub_.control = std::make_unique<ControlPlane>(hub_, cordons_);
    }
    for (const NodeId& node : hub_.control->cordoned()) {
        hub_.control->cordon(node, false);
    }
}

}  // namespace orch::sim::world
