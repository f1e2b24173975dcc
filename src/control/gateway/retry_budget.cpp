#include "control/gateway/retry_budget.hpp"

#include <algorithm>

namespace orch::control::gateway {

RetryBudget::Bucket& RetryBudget::turn_to(Instant now) {
    constexpr auto kAll = static_cast<std::int64_t>(kBuckets);
    const std::int64_t second =
        std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count();
    const std::int64_t passed = std::clamp<std::int64_t>(second - second_, 0, kAll);
    second_ = std::max(second_, second);
    for (std::int64_t i = 0; i < passed; ++i) {
        buckets_[static_cast<std::size_t>((second_ - i) % kAll)] = {};
    }
    return buckets_[static_cast<std::size_t>(second_ % kAll)];
}

void RetryBudget::ended(Instant now) {
    --running_;
    ++turn_to(now).ended;
}

bool RetryBudget::spend(const RetryBudgetConfig& config, Instant now) {
    Bucket& newest = turn_to(now);
    std::uint64_t ran = running_;
    std::uint64_t spent = 0;
    for (const Bucket& bucket : buckets_) {
        ran += bucket.ended;
        spent += bucket.spent;
    }
    const double most = config.floor + config.share * static_cast<double>(ran);
    if (static_cast<double>(spent + 1) > most) {
        return false;
    }
    ++newest.spent;
    return true;
}

}  // namespace orch::control::gateway
