#include "control/gateway/waiting_line.hpp"

#include <algorithm>
#include <utility>

namespace orch::control::gateway {

WaitingLine::~WaitingLine() {
    for (const auto& cell : cells_) {
        cell->remove_waiter();
    }
}

void WaitingLine::stand(
    const view::ClusterView& view, std::vector<std::shared_ptr<LoadCell>> cells
) {
    for (const auto& cell : cells) {
        cell->add_waiter();
    }
    for (const auto& cell : std::exchange(cells_, std::move(cells))) {
        cell->remove_waiter();
    }
    view_ = &view;
}

bool WaitingLine::any_free() const {
    return std::ranges::any_of(cells_, [](const std::shared_ptr<LoadCell>& cell) {
        return cell->claimed() < cell->capacity();
    });
}

}  // namespace orch::control::gateway
