#pragma once

#include "metrics/cells.hpp"

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace orch::metrics {

// A metric's name and what its series differ in.
struct FamilySpec {
    std::string name;                   // [a-zA-Z_:][a-zA-Z0-9_:]*
    std::string help;                   // one sentence
    std::vector<std::string> labels{};  // [a-zA-Z_][a-zA-Z0-9_]*, never `le`
    std::vector<double> bounds{};       // upper bounds of a histogram's buckets, else empty

    friend bool operator==(const FamilySpec&, const FamilySpec&) = default;
};

using LabelValues = std::vector<std::string>;

// One label and the value that a series has there.
struct LabelMatch {
    std::string_view label;
    std::string_view value;
};

// More series than this of one metric and shard would be a mistake of whoever names them: further
// label values share the series in which every label says `other`. A thousand nodes with a dozen
// series each stay below it.
inline constexpr std::size_t kMaxSeries = 16384;
inline constexpr std::string_view kOther = "other";

// The series of one metric in one shard, made when first asked for. Any thread; the lock is taken
// by with(), never by writes to a cell.
template <class Cell>
class Family {
public:
    explicit Family(FamilySpec spec) : spec_(std::move(spec)) {}

    Family(const Family&) = delete;
    Family& operator=(const Family&) = delete;

    // The series of these label values, in the order of the spec's labels. The caller may keep the
    // cell; once the series is removed nobody sees what is written to a kept cell, so who keeps one
    // across a node's removal asks again. Throws std::logic_error for a wrong number of values.
    std::shared_ptr<Cell> with(std::initializer_list<std::string_view> values) {
        if (values.size() != spec_.labels.size()) {
            throw std::logic_error(spec_.name + ": wrong number of label values");
        }
        const std::lock_guard lock(mutex_);
        const auto found = series_.find(values);
        if (found != series_.end()) {
            return found->second;
        }
        LabelValues key(values.begin(), values.end());
        if (series_.size() >= kMaxSeries) {
            std::ranges::fill(key, kOther);
        }
        auto& cell = series_[std::move(key)];
        if (!cell) {
            cell = make_cell();
        }
        return cell;
    }

    // Removes every series that has all of these values; none when the metric lacks a label.
    void remove(std::initializer_list<LabelMatch> matches) {
        const std::lock_guard lock(mutex_);
        std::erase_if(series_, [&](const auto& item) {
            return std::ranges::all_of(matches, [&](const LabelMatch& match) {
                return has(item.first, match);
            });
        });
    }

    void remove(std::string_view label, std::string_view value) { remove({{label, value}}); }

    // Adds what the series hold now to `totals`.
    void add_to(std::map<LabelValues, typename Cell::Snapshot>& totals) const {
        const std::lock_guard lock(mutex_);
        for (const auto& [values, cell] : series_) {
            totals[values] += cell->snapshot();
        }
    }

    const FamilySpec& spec() const { return spec_; }

private:
    struct Less {
        using is_transparent = void;

        bool operator()(const auto& a, const auto& b) const {
            return std::ranges::lexicographical_compare(
                a, b, [](std::string_view x, std::string_view y) { return x < y; }
            );
        }
    };

    bool has(const LabelValues& values, const LabelMatch& match) const {
        const auto index = static_cast<std::size_t>(
            std::ranges::find(spec_.labels, match.label) - spec_.labels.begin()
        );
        return index < values.size() && values[index] == match.value;
    }

    std::shared_ptr<Cell> make_cell() const {
        if constexpr (std::is_constructible_v<Cell, const std::vector<double>&>) {
            return std::make_shared<Cell>(spec_.bounds);
        } else {
            return std::make_shared<Cell>();
        }
    }

    const FamilySpec spec_;
    mutable std::mutex mutex_;
    std::map<LabelValues, std::shared_ptr<Cell>, Less> series_;
};

}  // namespace orch::metrics
