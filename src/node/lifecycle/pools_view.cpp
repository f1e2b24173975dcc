#include "node/lifecycle/pools_view.hpp"

#include "base/saturating.hpp"

#include <algorithm>

namespace orch::node::lifecycle {
namespace {

// a is less loaded than b, as fractions of their capacities.
bool less_loaded(const LoadCell& a, const LoadCell& b) {
    return std::uint64_t{a.claimed()} * b.capacity() < std::uint64_t{b.claimed()} * a.capacity();
}

bool has_free_slot(const ReplicaView& replica) {
    return replica.serves() && replica.cell->claimed() < replica.cell->capacity();
}

}  // namespace

std::uint32_t ReplicaView::slots_free() const {
    const std::uint32_t taken = cell->claimed();
    const std::uint32_t ours = cell->capacity();
    return taken < ours ? ours - taken : 0;
}

const ReplicaView* PoolView::find(const ReplicaId& id) const {
    const auto found = std::ranges::find(replicas, id, &ReplicaView::id);
    return found == replicas.end() ? nullptr : &*found;
}

bool PoolView::live() const {
    return std::ranges::any_of(replicas, [](const ReplicaView& r) { return is_live(r.state); });
}

bool PoolView::ready() const {
    return !draining && std::ranges::any_of(replicas, &ReplicaView::serves);
}

bool PoolView::broken() const {
    return std::ranges::any_of(replicas, [](const ReplicaView& r) {
        return r.state == ReplicaState::broken;
    });
}

bool PoolView::at_rest() const {
    return std::ranges::all_of(replicas, &ReplicaView::at_rest);
}

bool PoolView::drained() const {
    return draining && at_rest();
}

// Whether the model's file is there is found by the attempt: it may come at any time.
bool PoolView::loadable() const {
    return startable && !draining && !replicas.empty() && at_rest();
}

Bytes PoolView::vram_need() const {
    return loadable() ? saturating_multiply(replica_vram, replicas.size()) : 0;
}

std::uint32_t PoolView::slots_total() const {
    std::uint32_t total = 0;
    for (const ReplicaView& replica : replicas) {
        const bool counts = replica.serves() || replica.state == ReplicaState::draining;
        total += counts ? replica.slots_total : 0;
    }
    return total;
}

std::uint32_t PoolView::slots_free() const {
    std::uint32_t free = 0;
    for (const ReplicaView& replica : replicas) {
        free += replica.serves() && !draining ? replica.slots_free() : 0;
    }
    return free;
}

std::uint32_t PoolView::active_leases() const {
    std::uint32_t leases = 0;
    for (const ReplicaView& replica : replicas) {
        leases += replica.cell->claimed();
    }
    return leases;
}

std::string PoolView::last_error() const {
    for (const ReplicaView& replica : replicas) {
        if (!replica.serves() && !replica.last_error.empty()) {
            return replica.last_error;
        }
    }
    return {};
}

std::shared_ptr<const PoolView> PoolsView::find(const PoolId& id) const {
    const auto found = std::ranges::lower_bound(
        pools, id, {}, [](const auto& pool) -> const PoolId& { return pool->spec->id; }
    );
    return found == pools.end() || (*found)->spec->id != id ? nullptr : *found;
}

const ReplicaView* choose_replica(const PoolView& pool, Instant now) {
    const ReplicaView* best = nullptr;
    for (const ReplicaView& replica : pool.replicas) {
        if (pool.draining || !has_free_slot(replica)) {
            continue;
        }
        if (best == nullptr) {
            best = &replica;
            continue;
        }
        const bool suspect = replica.cell->suspect(now);
        const bool best_suspect = best->cell->suspect(now);
        if (suspect != best_suspect ? best_suspect : less_loaded(*replica.cell, *best->cell)) {
            best = &replica;
        }
    }
    return best;
}

}  // namespace orch::node::lifecycle
