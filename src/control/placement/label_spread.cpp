#include "control/placement/label_spread.hpp"

#include <cstdint>
#include <string_view>
#include <unordered_map>

namespace orch::control::placement {
namespace {

struct Slots {
    std::uint64_t busy = 0;
    std::uint64_t total = 0;

    // Values of no slots are full.
    double load() const {
        return total == 0 ? 1.0 : static_cast<double>(busy) / static_cast<double>(total);
    }
};

}  // namespace

void measure_spread(std::vector<Candidate>& candidates, const std::string& label) {
    std::unordered_map<std::string_view, Slots> values;
    std::vector<Slots*> value_of;
    value_of.reserve(candidates.size());
    for (const Candidate& candidate : candidates) {
        Slots& slots = values[view::label_of(*candidate.node, *candidate.pool, label)];
        slots.busy += candidate.busy;
        slots.total += candidate.slots_total;
        value_of.push_back(&slots);
    }
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        candidates[i].spread_load = value_of[i]->load();
    }
}

}  // namespace orch::control::placement
