#pragma once

#include "node/lifecycle/pools_view.hpp"

#include <memory>
#include <optional>
#include <utility>

namespace orch::node::lease {

// One slot of one replica, held for as long as the engine works for its request. The cell counts
// it; the view keeps everything alive that the lease points to. Movable, one thread at a time.
class Lease {
public:
    // Claims a slot of the least loaded replica that serves; nothing when all are busy.
    static std::optional<Lease> take(std::shared_ptr<const lifecycle::PoolView> pool, Instant now);

    // A replica that serves, without a slot: for calls that the engine answers beside its batch.
    static std::optional<Lease> none_needed(std::shared_ptr<const lifecycle::PoolView> pool);

    ~Lease() { release(); }

    Lease(Lease&& other) noexcept
        : pool_(std::move(other.pool_)),
          replica_(other.replica_),
          held_(std::exchange(other.held_, false)) {}

    Lease& operator=(Lease&&) = delete;

    void release();

    const lifecycle::PoolView& pool() const { return *pool_; }

    const lifecycle::ReplicaView& replica() const { return *replica_; }

    bool held() const { return held_; }

private:
    Lease(
        std::shared_ptr<const lifecycle::PoolView> pool,
        const lifecycle::ReplicaView& replica,
        bool held
    )
        : pool_(std::move(pool)), replica_(&replica), held_(held) {}

    std::shared_ptr<const lifecycle::PoolView> pool_;
    const lifecycle::ReplicaView* replica_;
    bool held_;
};

}  // namespace orch::node::lease
