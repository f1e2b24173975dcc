#pragma once

#include "metrics/family.hpp"

#include <string>
#include <string_view>

// The Prometheus text format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats). Pure.
namespace orch::metrics {

// The HELP and TYPE lines; `type` is counter, gauge or histogram.
void append_head(std::string& out, const FamilySpec& spec, std::string_view type);

// The lines of one series.
void append_series(
    std::string& out,
    const FamilySpec& spec,
    const LabelValues& values,
    const Counter::Snapshot& value
);
void append_series(
    std::string& out,
    const FamilySpec& spec,
    const LabelValues& values,
    const Gauge::Snapshot& value
);
void append_series(
    std::string& out,
    const FamilySpec& spec,
    const LabelValues& values,
    const Histogram::Snapshot& value
);

}  // namespace orch::metrics
