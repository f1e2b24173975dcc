#pragma once

#include "base/clock.hpp"
#include "base/strong_id.hpp"
#include "metrics/registry.hpp"

#include <string_view>

namespace orch::control::fleet {

// The metrics of polls, moved by the poller and nobody else. Control thread.
class PollProbe {
public:
    explicit PollProbe(metrics::Registry& registry);

    // Outcome: success, error or timeout. A node is asked for all its pools in one: each of them is
    // counted with the time of that request.
    void polled(const PoolKey& pool, std::string_view outcome, Duration took);

    void pool_removed(const PoolKey& pool);

private:
    metrics::Shard& shard_;
    metrics::Family<metrics::Counter>& checks_;
    metrics::Family<metrics::Histogram>& duration_;
};

}  // namespace orch::control::fleet
