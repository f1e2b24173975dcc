#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

// What one series is written to. Relaxed atomics: any thread may write and read, none waits, and a
// reader may see one cell's write before another's.
namespace orch::metrics {

// Only goes up: events, bytes, tokens.
class Counter {
public:
    using Snapshot = std::uint64_t;

    void add(std::uint64_t count = 1) { value_.fetch_add(count, std::memory_order_relaxed); }

    Snapshot snapshot() const { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> value_{0};
};

// A level that goes up and down.
class Gauge {
public:
    using Snapshot = double;

    void set(double value) { value_.store(value, std::memory_order_relaxed); }

    void add(double change) { value_.fetch_add(change, std::memory_order_relaxed); }

    Snapshot snapshot() const { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<double> value_{0};
};

// A distribution over fixed buckets. A bucket counts only what fell between its neighbour below and
// its own bound; the text makes them cumulative.
class Histogram {
public:
    struct Snapshot {
        std::vector<std::uint64_t> counts;  // one per bound, then those above the last
        double sum = 0;

        Snapshot& operator+=(const Snapshot& other);
    };

    // `bounds` ascend strictly; the bucket above the last is implied.
    explicit Histogram(std::span<const double> bounds);

    // NaN is dropped.
    void observe(double value);
    Snapshot snapshot() const;

private:
    const std::vector<double> bounds_;
    std::vector<std::atomic<std::uint64_t>> counts_;
    std::atomic<double> sum_{0};
};

}  // namespace orch::metrics
