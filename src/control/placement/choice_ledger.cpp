#include "control/placement/choice_ledger.hpp"

#include <utility>

namespace orch::control::placement {

std::uint64_t ChoiceLedger::last_chosen(const LoadCell& cell) const {
    const auto found = places_.find(&cell);
    return found == places_.end() ? 0 : last_[found->second];
}

void ChoiceLedger::chosen(const LoadCell& cell) {
    const auto [place, added] = places_.try_emplace(&cell, last_.size());
    if (added) {
        last_.push_back(0);
    }
    last_[place->second] = ++choices_;
}

std::span<const std::uint64_t> ChoiceLedger::by_ordinal(const view::ClusterView& view) const {
    return view.shape() == shape_ ? last_ : std::span<const std::uint64_t>{};
}

void ChoiceLedger::retain(const view::ClusterView& view) {
    if (view.shape() == shape_) {
        return;
    }
    std::vector<std::uint64_t> last;
    std::unordered_map<const LoadCell*, std::size_t> places;
    for (const view::NodeBlockPtr& node : view.nodes()) {
        for (const view::PoolBlock& pool : node->pools) {
            places.emplace(pool.cell.get(), last.size());
            last.push_back(last_chosen(*pool.cell));
        }
    }
    shape_ = view.shape();
    last_ = std::move(last);
    places_ = std::move(places);
}

}  // namespace orch::control::placement
