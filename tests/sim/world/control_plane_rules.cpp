#include "control/gateway/gateway_config.hpp"
#include "control/placement/feasibility.hpp"
#include "sim/world/control_plane.hpp"
#include "sim/world/node_host.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

// What must hold at all times, looked at from the control plane.
namespace orch::sim::world {

using namespace std::chrono_literals;
using control::view::NodeBlock;
using control::view::PoolBlock;

namespace {

// A refused lease is tried again with the next round; one more for what is on its way.
constexpr Duration kRounds = 2 * control::gateway::DispatchLoop::kRound;
constexpr unsigned kLooks = 4;

std::string text(const PoolKey& key) {
    return key.node.str() + "/" + key.pool.str();
}

}  // namespace

// Some thread was behind a moment ago.
bool ControlPlane::late() const {
    return hub_.now() < last_late_ + kRounds;
}

void ControlPlane::claimed(
    const ClientRun& run,
    const NodeBlock& node,
    const PoolBlock& pool,
    std::size_t edge,
    bool from_queue
) {
    hub_.note(from_queue ? "is granted" : "is placed", run.request().id, Hub::number_of(node.id));
    const std::uint32_t held = ++held_[pool.cell.get()];
    if (pool.cell->claimed() < held) {
        hub_.referee.broken(fmt::format(
            "{}: {} slots are held and {} counted", text(pool.key), held, pool.cell->claimed()
        ));
    }
    if (!from_queue && pool.cell->claimed() > pool.cell->capacity()) {
        hub_.referee.broken(fmt::format(
            "{}: {} slots are claimed of {}",
            text(pool.key),
            pool.cell->claimed(),
            pool.cell->capacity()
        ));
    }
    const Instant known = std::min(edges_[edge]->idle_at, idle_at_);
    check_place(node, pool, run, from_queue && late() ? Instant{} : known);
    check_turn(run, pool);
}

void ControlPlane::released(const LoadCell& cell) {
    const auto held = held_.find(&cell);
    if (cell.claimed() < held->second) {
        hub_.referee.broken(
            fmt::format("{} slots are held and {} counted", held->second, cell.claimed())
        );
    }
    if (--held->second == 0) {
        held_.erase(held);
    }
}

// `known_at`: what the registry knew then had reached whoever placed.
void ControlPlane::check_place(
    const NodeBlock& node, const PoolBlock& pool, const ClientRun& run, Instant known_at
) {
    const auto say = [&](std::string_view what) {
        hub_.referee.broken(fmt::format(
            "request {} is placed on {}, which {}", run.request().id, text(pool.key), what
        ));
    };
    const auto& model = run.wish().model;
    if (node.status != NodeStatus::online || !node.reachable) {
        say("takes no work in the view");
    }
    if (!pool.ready || pool.draining) {
        say("is not ready in the view");
    }
    if (model && !model->empty() && !pool.lists(*model)) {
        say("lacks the model");
    }
    if (run.wish().pin_node && *run.wish().pin_node != node.id && !run.wish().fallback) {
        say("is not where it was pinned");
    }
    if (const auto closed = closed_nodes_.find(node.id);
        closed != closed_nodes_.end() && closed->second <= known_at) {
        say("the registry knew to be offline, draining or gone");
    }
    if (const auto closed = closed_pools_.find(pool.key);
        closed != closed_pools_.end() && closed->second <= known_at) {
        say("the registry knew not to be ready");
    }
    if (heard_[node.id].at + 30s <= known_at) {
        say("was silent beyond its deadline");
    }
}

// The pool failed the request and is still the same; in the queue that is forgiven after a while.
bool ControlPlane::is_shunned(const ClientRun& waiting, const PoolBlock& pool) const {
    const auto& failed = waiting.wish().failed;
    const control::placement::PoolLife here{pool.key, pool.life};
    return std::ranges::find(failed, here) != failed.end() &&
           hub_.now() <= *waiting.parked_at() + control::gateway::kFailedFor + kRounds;
}

// Nobody overtakes one who has waited longer for the same model, but to a suspect place that is the
// only one for him and not for the other.
void ControlPlane::check_turn(const ClientRun& run, const PoolBlock& pool) {
    const auto line = waiting_.find(run.wish().model.value_or(""));
    if (line == waiting_.end() || run.wish().pinned() || late()) {
        return;
    }
    for (const auto& [place, other] : line->second) {
        if (run.parked_at() && place.first >= run.first_waited()) {
            return;
        }
        const bool in_turn = other != &run && !is_shunned(*other, pool) &&
                             hub_.now() > *other->parked_at() + kRounds;
        if (in_turn && !(pool.cell->suspect(hub_.now()) && offers(*other).trusted)) {
            overtaken_.push_back({run.request().id, other->request().id, *other->parked_at()});
        }
    }
}

// Whoever still waits when all threads have done what they had to do.
void ControlPlane::judge_turns() {
    for (const Overtaken& turn : std::exchange(overtaken_, {})) {
        const auto run = runs_.find(turn.waiting);
        if (run != runs_.end() && run->second->parked_at() == turn.parked_at && !late()) {
            hub_.referee.broken(fmt::format(
                "request {} is placed before request {}, which has waited longer",
                turn.placed,
                turn.waiting
            ));
        }
    }
}

// No storm: second tries are few among the requests of the last seconds. The budget counts in whole
// seconds, so up to one of its ten may have passed.
void ControlPlane::tried_again(std::size_t edge) {
    EdgeUnit& unit = *edges_[edge];
    const auto forget = [now = hub_.now()](std::deque<Instant>& times, Duration age) {
        while (!times.empty() && times.front() <= now - age) {
            times.pop_front();
        }
    };
    unit.tries.push_back(hub_.now());
    forget(unit.tries, 9s);
    forget(unit.ends, 10s);
    const auto& budget = hub_.options.retry_budget;
    const double ran = static_cast<double>(unit.running + unit.ends.size());
    if (static_cast<double>(unit.tries.size()) > budget.floor + budget.share * ran) {
        hub_.referee.broken(fmt::format(
            "{} second tries in a few seconds, while {} requests ran", unit.tries.size(), ran
        ));
    }
}

void ControlPlane::parked(ClientRun& run) {
    if (!run.wish().pinned()) {
        waiting_[run.wish().model.value_or("")][{run.first_waited(), run.request().id}] = &run;
    }
}

void ControlPlane::unparked(ClientRun& run) {
    if (const auto line = waiting_.find(run.wish().model.value_or("")); line != waiting_.end()) {
        line->second.erase({run.first_waited(), run.request().id});
        if (line->second.empty()) {
            waiting_.erase(line);
        }
    }
}

void ControlPlane::look_at_cells() {
    if (hub_.now() <= last_late_ || !view_) {
        return;
    }
    for (const auto& node : view_->nodes()) {
        for (const PoolBlock& pool : node->pools) {
            const auto held = held_.find(pool.cell.get());
            const std::uint32_t ours = held == held_.end() ? 0 : held->second;
            if (pool.cell->claimed() != ours) {
                hub_.referee.broken(fmt::format(
                    "{}: {} slots are held and {} counted",
                    text(pool.key),
                    ours,
                    pool.cell->claimed()
                ));
            }
        }
    }
}

ControlPlane::Offers ControlPlane::offers(const ClientRun& run) const {
    const auto& model = run.wish().model;
    Offers found;
    for (const auto& node : view_->nodes()) {
        if (!node->takes_work()) {
            continue;
        }
        for (const PoolBlock& pool : node->pools) {
            const bool fits = pool.ready && !pool.draining &&
                              (!model || model->empty() || pool.lists(*model)) &&
                              !is_shunned(run, pool);
            const bool free = pool.cell->claimed() < pool.cell->capacity();
            const bool suspect = pool.cell->suspect(hub_.now());
            found.trusted = found.trusted || (fits && !suspect);
            found.free_trusted = found.free_trusted || (fits && free && !suspect);
            found.free_suspect = found.free_suspect || (fits && free && suspect);
        }
    }
    return found;
}

// Of the pools that could be loaded for it none is asked to be, and nothing else is on its way. A
// node that refuses, or does not answer for 5 s, is left alone for 10 s.
bool ControlPlane::left_at_rest(const ClientRun& run) const {
    constexpr Duration kAskedWithin = 20s;
    const Duration return_wait = control::placement::PlacementPolicy{}.return_wait;
    const auto& model = run.wish().model;
    bool any = false;
    for (const auto& node : view_->nodes()) {
        for (const PoolBlock& pool : node->pools) {
            if (!node->takes_work() || (model && !model->empty() && !pool.lists(*model)) ||
                is_shunned(run, pool)) {
                continue;
            }
            const auto asked = asked_to_load_.find(pool.key);
            const bool is_asked =
                asked != asked_to_load_.end() && hub_.now() < asked->second + kAskedWithin;
            const bool returns = pool.left_at && hub_.now() < *pool.left_at + return_wait + kRounds;
            if (pool.ready || pool.loading || returns || is_asked) {
                return false;
            }
            any = any || pool.loadable;
        }
    }
    return any && hub_.now() > *run.parked_at() + kAskedWithin;
}

// No request waits while a slot is free that it may have, and nobody acts.
void ControlPlane::look_at_queue() {
    if (!view_) {
        return;
    }
    for (const auto& [model, line] : waiting_) {
        ClientRun& oldest = *line.begin()->second;
        const bool settled = !late() && hub_.now() > *oldest.parked_at() + kRounds;
        // Suspects count only while there is nothing else.
        const Offers found = settled ? offers(oldest) : Offers{};
        const bool missed = found.free_trusted || (found.free_suspect && !found.trusted);
        oldest.overlooked = missed ? oldest.overlooked + 1 : 0;
        if (settled && left_at_rest(oldest)) {
            hub_.referee.broken(fmt::format(
                "request {} waits for '{}' while a pool is at rest", oldest.request().id, model
            ));
        }
        if (oldest.overlooked >= kLooks) {
            hub_.referee.broken(fmt::format(
                "request {} waits for '{}' while a slot is free", oldest.request().id, model
            ));
        }
    }
}

// Silent nodes are Offline at their deadline, and nobody else is.
void ControlPlane::look_at_silence() {
    if (hub_.now() <= last_late_) {
        return;
    }
    for (const auto& [id, heard] : heard_) {
        const auto status = registry_->unpublished().find_status(id);
        const bool silent = hub_.now() >= heard.at + 30s;
        if (status && silent && *status != NodeStatus::offline) {
            hub_.referee.broken(fmt::format("{} is not Offline at its deadline", id.str()));
        }
        if (status && !silent && *status == NodeStatus::offline) {
            hub_.referee.broken(fmt::format("{} is Offline before its deadline", id.str()));
        }
    }
}

std::optional<std::string> ControlPlane::find_unrest() const {
    if (!runs_.empty() || dispatch_->dispatcher().waiting() != 0) {
        return fmt::format("{} requests never end", runs_.size());
    }
    for (const auto& host : hub_.hosts) {
        const auto* const node = view_->find_node(NodeId(fmt::format("n{}", host->index())));
        if (node == nullptr || !node->takes_work()) {
            return fmt::format("node {} runs, and the cluster does not use it", host->index());
        }
        for (const PoolBlock& pool : node->pools) {
            if ((!pool.ready && !pool.loadable) || pool.cell->waiters() != 0 ||
                pool.cell->claimed() != 0) {
                return fmt::format(
                    "{} at rest: ready {}, {} slots claimed, {} waiters",
                    text(pool.key),
                    pool.ready,
                    pool.cell->claimed(),
                    pool.cell->waiters()
                );
            }
        }
    }
    return std::nullopt;
}

}  // namespace orch::sim::world
