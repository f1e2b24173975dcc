#pragma once

#include "base/load_cell.hpp"
#include "control/view/cluster_view.hpp"

#include <memory>
#include <vector>

namespace orch::control::gateway {

// Requests that wait and may be served by the same pools: all together they are one waiter in the
// cell of each. It leaves the cells with its end. Owner: the control thread.
class WaitingLine {
public:
    WaitingLine() = default;
    ~WaitingLine();
    WaitingLine(const WaitingLine&) = delete;
    WaitingLine& operator=(const WaitingLine&) = delete;

    // Stands at these cells, the pools of `view`, instead of those before. The new waiters come
    // before the old ones go: no cell of both is ever open between.
    void stand(const view::ClusterView& view, std::vector<std::shared_ptr<LoadCell>> cells);

    // It stands at the pools of this view.
    bool stands_in(const view::ClusterView& view) const { return view_ == &view; }

    bool any_free() const;

    bool empty() const { return cells_.empty(); }

private:
    const view::ClusterView* view_ = nullptr;  // only compared
    std::vector<std::shared_ptr<LoadCell>> cells_;
};

}  // namespace orch::control::gateway
