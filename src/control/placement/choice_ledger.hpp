#pragma once

#include "base/load_cell.hpp"
#include "control/view/cluster_view.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

namespace orch::control::placement {

// When each pool was last chosen by this thread, counted in choices. One per edge thread and one
// for the control thread; not shared.
class ChoiceLedger {
public:
    // Equal seeds draw equal lots.
    explicit ChoiceLedger(std::uint64_t seed = 0) : seed_(seed) {}

    // The seed of the next choice's lots; another one after each choice.
    std::uint64_t chance() const { return seed_ + choices_; }

    // 0 = never.
    std::uint64_t last_chosen(const LoadCell& cell) const;
    void chosen(const LoadCell& cell);

    // last_chosen() of all pools of the view, by their ordinals. Nothing unless retain() has seen a
    // view of that shape last.
    std::span<const std::uint64_t> by_ordinal(const view::ClusterView& view) const;

    // Forgets the cells of pools that a new view no longer has. Costs nothing while the shape
    // stays.
    void retain(const view::ClusterView& view);

private:
    std::uint64_t seed_;
    std::uint64_t choices_ = 0;
    std::shared_ptr<const view::ModelIndex> shape_;
    std::unordered_map<const LoadCell*, std::size_t> places_;  // in last_
    std::vector<std::uint64_t> last_;  // pools of shape_ by ordinal, then those it does not have
};

}  // namespace orch::control::placement
