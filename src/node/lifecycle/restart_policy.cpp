#include "node/lifecycle/restart_policy.hpp"

namespace orch::node::lifecycle {

RestartDecision RestartPolicy::decide_after_failure(
    std::optional<Instant> ready_since, Instant now
) {
    settle(ready_since, now);
    ++failures_;
    if (failures_ >= config_.breaker_threshold) {
        return {.broken = true, .delay = config_.breaker_retry};
    }
    return {.broken = false, .delay = backoff_.next()};
}

void RestartPolicy::settle(std::optional<Instant> ready_since, Instant now) {
    if (ready_since && now - *ready_since >= config_.stable_after) {
        reset();
    }
}

void RestartPolicy::reset() {
    failures_ = 0;
    backoff_.reset();
}

}  // namespace orch::node::lifecycle
