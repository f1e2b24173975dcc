#pragma once

#include "metrics/family.hpp"

#include <initializer_list>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

// Metrics: App owns one Registry; each edge thread and the control thread own a Shard of it, so
// that hot counters of different threads never share a cache line. Probes take their thread's Shard
// by reference and declare their families when they are built. The text sums the shards: a gauge
// that is set (not added to) belongs in one shard only.
namespace orch::metrics {

enum class MetricType { counter, gauge, histogram };

// Every declared family once, in order of declaration. Any thread.
class Catalogue {
public:
    struct Entry {
        FamilySpec spec;
        MetricType type;
    };

    // Throws std::logic_error for a malformed name or one that was declared differently before.
    void declare(const FamilySpec& spec, MetricType type);

    std::vector<Entry> entries() const;

private:
    mutable std::mutex mutex_;
    std::vector<Entry> entries_;
};

// One thread's cells. Any thread may declare and read; families live as long as the Registry.
// Declaring a family twice gives the same family.
class Shard {
public:
    explicit Shard(Catalogue& catalogue) : catalogue_(catalogue) {}

    Shard(const Shard&) = delete;
    Shard& operator=(const Shard&) = delete;

    Family<Counter>& counter(FamilySpec spec);
    Family<Gauge>& gauge(FamilySpec spec);
    Family<Histogram>& histogram(FamilySpec spec);

private:
    friend class Registry;

    template <class Cell>
    using Families = std::map<std::string, std::unique_ptr<Family<Cell>>, std::less<>>;

    template <class Cell>
    Family<Cell>& declare(Families<Cell>& families, FamilySpec spec, MetricType type);

    template <class Cell>
    const Families<Cell>& families() const;

    Catalogue& catalogue_;
    mutable std::mutex mutex_;
    Families<Counter> counters_;
    Families<Gauge> gauges_;
    Families<Histogram> histograms_;
};

class Registry {
public:
    inline static constexpr std::string_view kContentType =
        "text/plain; version=0.0.4; charset=utf-8";

    // Called at start-up, once per thread that writes. The shard lives as long as the registry.
    Shard& add_shard();

    // The Prometheus text format 0.0.4. HELP and TYPE of every family, also of those without
    // series.
    std::string expose() const;

    // Removes every series that has all of these values: what a forgotten node or pool leaves
    // behind.
    void remove_series(std::initializer_list<LabelMatch> matches);

    void remove_series(std::string_view label, std::string_view value) {
        remove_series({{label, value}});
    }

private:
    template <class Cell>
    void expose_family(std::string& out, const FamilySpec& spec) const;

    Catalogue catalogue_;
    mutable std::mutex mutex_;
    std::list<Shard> shards_;
};

}  // namespace orch::metrics
