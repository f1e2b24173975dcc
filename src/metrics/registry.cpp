#include "metrics/registry.hpp"

#include "metrics/exposition.hpp"

#include <algorithm>
#include <functional>
#include <stdexcept>
#include <utility>

namespace orch::metrics {
namespace {

bool name_char(char c, bool first, bool colon) {
    const bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
    const bool digit = c >= '0' && c <= '9';
    return letter || (digit && !first) || (c == ':' && colon);
}

bool valid_name(std::string_view name, bool colon) {
    for (std::size_t i = 0; i < name.size(); ++i) {
        if (!name_char(name[i], i == 0, colon)) {
            return false;
        }
    }
    return !name.empty();
}

bool valid_label(std::string_view label) {
    return valid_name(label, false) && label != "le";
}

bool valid_bounds(const FamilySpec& spec, MetricType type) {
    const bool ascending =
        std::ranges::adjacent_find(spec.bounds, std::greater_equal<>{}) == spec.bounds.end();
    return ascending && spec.bounds.empty() == (type != MetricType::histogram);
}

void check(const FamilySpec& spec, MetricType type) {
    if (!valid_name(spec.name, true) || !std::ranges::all_of(spec.labels, valid_label) ||
        !valid_bounds(spec, type)) {
        throw std::logic_error("malformed metric " + spec.name);
    }
}

std::string_view type_text(MetricType type) {
    switch (type) {
        case MetricType::counter:
            return "counter";
        case MetricType::gauge:
            return "gauge";
        case MetricType::histogram:
            return "histogram";
    }
    return "untyped";
}

}  // namespace

void Catalogue::declare(const FamilySpec& spec, MetricType type) {
    check(spec, type);
    const std::lock_guard lock(mutex_);
    const auto known =
        std::ranges::find(entries_, spec.name, [](const Entry& entry) { return entry.spec.name; });
    if (known == entries_.end()) {
        entries_.push_back({spec, type});
    } else if (known->type != type || known->spec != spec) {
        throw std::logic_error("metric " + spec.name + " is declared in two ways");
    }
}

std::vector<Catalogue::Entry> Catalogue::entries() const {
    const std::lock_guard lock(mutex_);
    return entries_;
}

template <class Cell>
Family<Cell>& Shard::declare(Families<Cell>& families, FamilySpec spec, MetricType type) {
    catalogue_.declare(spec, type);
    const std::lock_guard lock(mutex_);
    auto& family = families[spec.name];
    if (!family) {
        family = std::make_unique<Family<Cell>>(std::move(spec));
    }
    return *family;
}

Family<Counter>& Shard::counter(FamilySpec spec) {
    return declare(counters_, std::move(spec), MetricType::counter);
}

Family<Gauge>& Shard::gauge(FamilySpec spec) {
    return declare(gauges_, std::move(spec), MetricType::gauge);
}

Family<Histogram>& Shard::histogram(FamilySpec spec) {
    return declare(histograms_, std::move(spec), MetricType::histogram);
}

template <class Cell>
const Shard::Families<Cell>& Shard::families() const {
    if constexpr (std::is_same_v<Cell, Counter>) {
        return counters_;
    } else if constexpr (std::is_same_v<Cell, Gauge>) {
        return gauges_;
    } else {
        return histograms_;
    }
}

Shard& Registry::add_shard() {
    const std::lock_guard lock(mutex_);
    return shards_.emplace_back(catalogue_);
}

template <class Cell>
void Registry::expose_family(std::string& out, const FamilySpec& spec) const {
    std::map<LabelValues, typename Cell::Snapshot> totals;
    for (const Shard& shard : shards_) {
        const std::lock_guard lock(shard.mutex_);
        const auto& families = shard.families<Cell>();
        if (const auto found = families.find(spec.name); found != families.end()) {
            found->second->add_to(totals);
        }
    }
    for (const auto& [values, total] : totals) {
        append_series(out, spec, values, total);
    }
}

std::string Registry::expose() const {
    std::string out;
    const std::lock_guard lock(mutex_);
    for (const auto& [spec, type] : catalogue_.entries()) {
        append_head(out, spec, type_text(type));
        switch (type) {
            case MetricType::counter:
                expose_family<Counter>(out, spec);
                break;
            case MetricType::gauge:
                expose_family<Gauge>(out, spec);
                break;
            case MetricType::histogram:
                expose_family<Histogram>(out, spec);
                break;
        }
    }
    return out;
}

void Registry::remove_series(std::initializer_list<LabelMatch> matches) {
    const std::lock_guard lock(mutex_);
    for (Shard& shard : shards_) {
        const std::lock_guard shard_lock(shard.mutex_);
        const auto remove_from = [&](auto& families) {
            for (auto& [name, family] : families) {
                family->remove(matches);
            }
        };
        remove_from(shard.counters_);
        remove_from(shard.gauges_);
        remove_from(shard.histograms_);
    }
}

}  // namespace orch::metrics
