#pragma once

#include "base/load_cell.hpp"
#include "control/view/cluster_view.hpp"

#include <cstdint>
#include <unordered_map>

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

    // Forgets the cells of pools that a new view no longer has.
    void retain(const view::ClusterView& view);

private:
    std::uint64_t seed_;
    std::uint64_t choices_ = 0;
    std::unordered_map<const LoadCell*, std::uint64_t> last_;
};

}  // namespace orch::control::placement
