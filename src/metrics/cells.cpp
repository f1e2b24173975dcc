#include "metrics/cells.hpp"

#include <algorithm>
#include <cmath>

namespace orch::metrics {

Histogram::Snapshot& Histogram::Snapshot::operator+=(const Snapshot& other) {
    counts.resize(std::max(counts.size(), other.counts.size()));
    for (std::size_t i = 0; i < other.counts.size(); ++i) {
        counts[i] += other.counts[i];
    }
    sum += other.sum;
    return *this;
}

Histogram::Histogram(std::span<const double> bounds)
    : bounds_(bounds.begin(), bounds.end()), counts_(bounds.size() + 1) {}

void Histogram::observe(double value) {
    if (std::isnan(value)) {
        return;
    }
    const auto bucket = std::ranges::lower_bound(bounds_, value) - bounds_.begin();
    counts_[static_cast<std::size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
    sum_.fetch_add(value, std::memory_order_relaxed);
}

Histogram::Snapshot Histogram::snapshot() const {
    Snapshot seen;
    seen.counts.reserve(counts_.size());
    for (const auto& count : counts_) {
        seen.counts.push_back(count.load(std::memory_order_relaxed));
    }
    seen.sum = sum_.load(std::memory_order_relaxed);
    return seen;
}

}  // namespace orch::metrics
