#include "sim/world/world.hpp"

#include "sim/world/control_plane.hpp"
#include "sim/world/node_host.hpp"

#include <fmt/format.h>

#include <utility>

namespace orch::sim::world {

using namespace std::chrono_literals;

namespace {

// The longest that anything goes on by itself: an open circuit (300 s), and engines that start.
constexpr Duration kSettling = 12min;

}  // namespace

void Outcome::add(const Outcome& other) {
    events += other.events;
    requests += other.requests;
    lost += other.lost;
    doubled += other.doubled;
    late += other.late;
    continued += other.continued;
    held_back += other.held_back;
    for (std::size_t i = 0; i < kEndings; ++i) {
        endings[i] += other.endings[i];
    }
    for (std::size_t i = 0; i < kFaults; ++i) {
        faults[i] += other.faults[i];
    }
}

World::World(const Options& options) : hub_(options), faults_(hub_) {
    hub_.requests.reserve(options.requests);
    for (std::size_t i = 0; i < options.requests; ++i) {
        make_request(i);
    }
    for (std::size_t i = 0; i < options.nodes; ++i) {
        hub_.hosts.push_back(std::make_unique<NodeHost>(hub_, i));
    }
}

World::~World() = default;

void World::make_request(std::size_t id) {
    Chance& chance = hub_.chance;
    Request& request = hub_.requests.emplace_back();
    request.id = id;
    if (!chance.yes(0.05)) {
        request.wish.model = fmt::format("m{}", chance.below(hub_.options.models));
    }
    if (chance.yes(0.05)) {
        request.wish.pin_node = NodeId(fmt::format("n{}", chance.below(hub_.options.nodes)));
        request.wish.fallback = chance.yes(0.5);
    }
    if (chance.yes(0.1)) {
        request.wish.session = fmt::format("s{}", chance.below(20));
    }
    request.streams = chance.yes(0.6);
    request.can_go_on = request.streams && chance.yes(0.8);
    request.prompt = chance.yes(0.03) ? chance.between(20s, 90s) : chance.between(5ms, 3s);
    request.pieces = static_cast<std::uint32_t>(chance.between(std::size_t{1}, std::size_t{5}));
    request.pace = chance.between(10ms, 2s);
    if (chance.yes(0.15)) {
        request.patience = chance.between(Duration{}, Duration(20s));
    }
}

void World::next_arrival() {
    const auto mean = hub_.options.load / static_cast<Duration::rep>(hub_.options.requests + 1);
    hub_.heap.after(hub_.chance.gap(mean), [this] {
        if (arrived_ < hub_.requests.size()) {
            arrive(hub_.requests[arrived_++]);
            next_arrival();
        }
    });
}

void World::arrive(Request& request) {
    if (!hub_.control) {
        hub_.end(request, Ending::refused);
        return;
    }
    hub_.control->arrive(request);
    if (request.patience < Duration::max()) {
        hub_.heap.after(request.patience, [this, &request] {
            if (hub_.control && !request.ending) {
                hub_.control->leave(request);
            }
        });
    }
}

void World::look() {
    if (hub_.control) {
        hub_.control->look_at_cells();
        hub_.control->look_at_queue();
        hub_.control->look_at_silence();
    }
    hub_.heap.after(hub_.options.sample, [this] { look(); });
}

void World::pump() {
    while (std::exchange(hub_.awake, false) && hub_.control) {
        hub_.control->pump();
    }
}

// False when a rule is broken.
bool World::run_until(Instant end) {
    while (hub_.now() < end && !hub_.referee.sentence()) {
        hub_.heap.step();
        pump();
    }
    return !hub_.referee.sentence();
}

Outcome World::run() {
    hub_.control = std::make_unique<ControlPlane>(hub_, std::vector<NodeId>{});
    for (const auto& host : hub_.hosts) {
        hub_.heap.after(hub_.chance.between(Duration{}, Duration(10s)), [&host] {
            host->start_daemon();
        });
    }
    hub_.heap.after(12s, [this] {
        faults_.begin();
        next_arrival();
    });
    look();
    if (run_until(hub_.now() + 12s + hub_.options.load)) {
        settle();
    }
    Outcome outcome;
    outcome.events = hub_.heap.happened();
    outcome.digest = hub_.trace.digest();
    outcome.requests = arrived_;
    outcome.endings = hub_.endings;
    outcome.faults = faults_.counts();
    outcome.continued = hub_.continued;
    outcome.held_back = hub_.held_back;
    outcome.lost = hub_.network.lost();
    outcome.doubled = hub_.network.doubled();
    outcome.late = hub_.network.late();
    outcome.broken = hub_.referee.sentence();
    outcome.last_events = outcome.broken ? hub_.trace.last_lines() : "";
    // Nothing of the control plane may find a hub that is half gone.
    hub_.control.reset();
    return outcome;
}

std::optional<std::string> World::find_unrest() const {
    for (std::size_t i = 0; i < arrived_; ++i) {
        if (!hub_.requests[i].ending) {
            return fmt::format("request {} never ended", i);
        }
    }
    for (const auto& host : hub_.hosts) {
        const std::size_t wanted = host->daemon() ? host->daemon()->wanted_engines() : 0;
        const std::size_t running = host->running().size();
        if (running != wanted) {
            return fmt::format(
                "node {} has {} engines at rest instead of {}", host->index(), running, wanted
            );
        }
        if (host->daemon() == nullptr || host->daemon()->leases() != 0 ||
            host->daemon()->relays() != 0) {
            return fmt::format("node {} has leases at rest", host->index());
        }
    }
    return hub_.control->find_unrest();
}

// Rest is reached in time, and then nothing is left over.
void World::settle() {
    hub_.calm = true;
    faults_.end();
    const Instant end = hub_.now() + kSettling;
    std::optional<std::string> unrest;
    do {
        if (!run_until(hub_.now() + 30s)) {
            return;
        }
        unrest = find_unrest();
    } while (unrest && hub_.now() < end);
    if (unrest) {
        hub_.referee.broken(*unrest);
    }
}

}  // namespace orch::sim::world
