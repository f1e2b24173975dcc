#pragma once

#include "base/clock.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace orch::control::gateway {

// How much may be tried again.
struct RetryBudgetConfig {
    double share = 0.1;        // of the requests that ran within the window
    std::uint32_t floor = 20;  // so many in a window, however few requests there are
};

// Keeps retries and continuations from becoming a storm: within the last ten seconds at most a
// share of the requests that ran in them, and a few more, so that the victims of one death in a
// small cluster have their second try. One per edge, each with the requests of its connections.
// Pure.
class RetryBudget {
public:
    static constexpr std::size_t kBuckets = 10;  // of a second each

    void began() { ++running_; }

    void ended(Instant now);

    // Takes one try out of the budget; false: nothing is left.
    bool spend(const RetryBudgetConfig& config, Instant now);

private:
    struct Bucket {
        std::uint64_t ended = 0;  // requests
        std::uint64_t spent = 0;  // tries
    };

    Bucket& turn_to(Instant now);

    std::array<Bucket, kBuckets> buckets_{};
    std::int64_t second_ = 0;  // of the newest bucket
    std::uint64_t running_ = 0;
};

}  // namespace orch::control::gateway
