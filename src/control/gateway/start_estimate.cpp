#include "control/gateway/start_estimate.hpp"

namespace orch::control::gateway {

std::optional<Duration> estimate_start(
    std::span<const placement::Candidate> fitting, std::size_t ahead
) {
    double slots_per_second = 0;
    double measured_slots = 0;
    double all_slots = 0;
    for (const placement::Candidate& candidate : fitting) {
        const double slots = candidate.pool->cell->capacity();
        const std::chrono::duration<double> mean = candidate.pool->cell->mean_service();
        all_slots += slots;
        if (mean.count() > 0) {
            measured_slots += slots;
            slots_per_second += slots / mean.count();
        }
    }
    if (slots_per_second == 0) {
        return std::nullopt;
    }
    slots_per_second *= all_slots / measured_slots;
    const double turns = static_cast<double>(ahead) + 1;
    return std::chrono::duration_cast<Duration>(
        std::chrono::duration<double>(turns / slots_per_second)
    );
}

}  // namespace orch::control::gateway
