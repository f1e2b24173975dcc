#pragma once

#include "control/gateway/dispatch_loop.hpp"
#include "control/view/cluster_view.hpp"

#include <memory>
#include <utility>

namespace orch::control::gateway {

// A claimed slot of a pool: given back when it goes out of scope, to the queue if somebody waits.
// Keeps the view alive that its node and pool belong to. One thread at a time.
class SlotClaim {
public:
    SlotClaim() = default;

    // Takes over a slot that was claimed already.
    SlotClaim(
        DispatchLoop& dispatch,
        view::ClusterViewPtr view,
        const view::NodeBlock& node,
        const view::PoolBlock& pool
    )
        : dispatch_(&dispatch), view_(std::move(view)), node_(&node), pool_(&pool) {}

    ~SlotClaim() { release(); }

    SlotClaim(SlotClaim&& other) noexcept { *this = std::move(other); }

    SlotClaim& operator=(SlotClaim&& other) noexcept {
        release();
        dispatch_ = std::exchange(other.dispatch_, nullptr);
        view_ = std::move(other.view_);
        node_ = other.node_;
        pool_ = other.pool_;
        return *this;
    }

    void release() {
        if (dispatch_ != nullptr && pool_->cell->release()) {
            dispatch_->slot_freed(pool_->key);
        }
        dispatch_ = nullptr;
    }

    // Requires: a claim was taken over, released or not.
    const view::NodeBlock& node() const { return *node_; }

    const view::PoolBlock& pool() const { return *pool_; }

private:
    DispatchLoop* dispatch_ = nullptr;
    view::ClusterViewPtr view_;
    const view::NodeBlock* node_ = nullptr;
    const view::PoolBlock* pool_ = nullptr;
};

}  // namespace orch::control::gateway
