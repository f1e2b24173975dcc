#include "node/lifecycle/inherited_slots.hpp"

#include <algorithm>
#include <utility>

namespace orch::node::lifecycle {

std::uint32_t InheritedSlots::look(std::uint32_t busy, std::uint32_t leased) {
    const std::uint32_t seen = busy > leased ? busy - leased : 0;
    const std::uint32_t before = std::exchange(seen_, seen).value_or(seen);
    const bool certain = busy == 0 || leased == 0;
    const std::uint32_t believed = certain ? seen : std::max(seen, before);
    count_ = std::min(count_.value_or(believed), believed);
    return *count_;
}

}  // namespace orch::node::lifecycle
