#include "control/placement/choice_ledger.hpp"

#include <unordered_set>

namespace orch::control::placement {

std::uint64_t ChoiceLedger::last_chosen(const LoadCell& cell) const {
    const auto found = last_.find(&cell);
    return found == last_.end() ? 0 : found->second;
}

void ChoiceLedger::chosen(const LoadCell& cell) {
    last_[&cell] = ++choices_;
}

void ChoiceLedger::retain(const view::ClusterView& view) {
    std::unordered_set<const LoadCell*> alive;
    for (const view::NodeBlockPtr& node : view.nodes()) {
        for (const view::PoolBlock& pool : node->pools) {
            alive.insert(pool.cell.get());
        }
    }
    std::erase_if(last_, [&](const auto& entry) { return !alive.contains(entry.first); });
}

}  // namespace orch::control::placement
