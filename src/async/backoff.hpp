#pragma once

#include "base/clock.hpp"
#include "base/rng.hpp"

namespace orch::async {

struct BackoffConfig {
    Duration initial = std::chrono::seconds(1);
    Duration maximum = std::chrono::seconds(30);
    double jitter = 0.1;  // each delay is moved by up to this fraction, never above maximum
};

// Doubling delays with jitter. Pure; the caller waits.
class Backoff {
public:
    Backoff(BackoffConfig config, Rng& rng) : config_(config), rng_(rng) {}

    Duration next();

    void reset() { failures_ = 0; }

private:
    BackoffConfig config_;
    Rng& rng_;
    unsigned failures_ = 0;
};

}  // namespace orch::async
