#include "node/lease/lease.hpp"

#include <algorithm>

namespace orch::node::lease {

std::optional<Lease> Lease::take(std::shared_ptr<const lifecycle::PoolView> pool, Instant now) {
    // A claim that fails lost a race for the last slot; the next choice sees that.
    while (const lifecycle::ReplicaView* const replica = choose_replica(*pool, now)) {
        if (replica->cell->try_claim()) {
            return Lease(std::move(pool), *replica, true);
        }
    }
    return std::nullopt;
}

std::optional<Lease> Lease::none_needed(std::shared_ptr<const lifecycle::PoolView> pool) {
    const auto serving = std::ranges::find_if(pool->replicas, &lifecycle::ReplicaView::serves);
    if (serving == pool->replicas.end()) {
        return std::nullopt;
    }
    const lifecycle::ReplicaView& replica = *serving;
    return Lease(std::move(pool), replica, false);
}

void Lease::release() {
    if (std::exchange(held_, false)) {
        // Nobody waits at a node: a request that finds no slot is placed again by the gateway.
        static_cast<void>(replica_->cell->release());
    }
}

}  // namespace orch::node::lease
