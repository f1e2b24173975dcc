#pragma once

#include "async/backoff.hpp"
#include "base/clock.hpp"
#include "base/rng.hpp"

#include <optional>

namespace orch::node::lifecycle {

struct RestartConfig {
    async::BackoffConfig backoff{
        .initial = std::chrono::seconds(1), .maximum = std::chrono::seconds(60), .jitter = 0.1
    };
    Duration stable_after = std::chrono::seconds(300);  // serving this long forgives all failures
    unsigned breaker_threshold = 5;  // consecutive failures that open the circuit
    Duration breaker_retry = std::chrono::seconds(300);  // between attempts while it is open
};

// What follows a failure.
struct RestartDecision {
    bool broken = false;  // the circuit is open: this engine crash-loops
    Duration delay{};     // until the next attempt
};

// Counts consecutive failures of one engine and decides when it is started again. Pure.
class RestartPolicy {
public:
    // `rng` outlives the policy.
    RestartPolicy(RestartConfig config, Rng& rng)
        : config_(config), backoff_(config.backoff, rng) {}

    // The engine failed; `ready_since` is when it began to serve, if it did.
    RestartDecision decide_after_failure(std::optional<Instant> ready_since, Instant now);

    // It still serves: failures are forgiven once it did so for long enough.
    void settle(std::optional<Instant> ready_since, Instant now);

    // An operator's start closes the circuit.
    void reset();

    unsigned failures() const { return failures_; }

private:
    RestartConfig config_;
    async::Backoff backoff_;
    unsigned failures_ = 0;
};

}  // namespace orch::node::lifecycle
