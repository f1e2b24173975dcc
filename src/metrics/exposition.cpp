#include "metrics/exposition.hpp"

#include <fmt/format.h>

#include <cmath>
#include <iterator>

namespace orch::metrics {
namespace {

std::string escaped(std::string_view text, bool quotes) {
    std::string out;
    for (const char c : text) {
        if (c == '\\') {
            out += "\\\\";
        } else if (c == '\n') {
            out += "\\n";
        } else if (c == '"' && quotes) {
            out += "\\\"";
        } else {
            out.push_back(c);
        }
    }
    return out;
}

std::string number(double value) {
    if (std::isinf(value)) {
        return value > 0 ? "+Inf" : "-Inf";
    }
    return std::isnan(value) ? "NaN" : fmt::format("{}", value);
}

// {a="1",b="2"}, with `le` last when it is given; nothing when there is no label.
std::string label_text(
    const FamilySpec& spec, const LabelValues& values, std::string_view le = {}
) {
    std::string out;
    const auto append = [&](std::string_view name, std::string_view value) {
        fmt::format_to(
            std::back_inserter(out),
            "{}{}=\"{}\"",
            out.empty() ? '{' : ',',
            name,
            escaped(value, true)
        );
    };
    for (std::size_t i = 0; i < values.size(); ++i) {
        append(spec.labels[i], values[i]);
    }
    if (!le.empty()) {
        append("le", le);
    }
    return out.empty() ? out : out + "}";
}

void append_line(
    std::string& out, std::string_view name, std::string_view labels, std::string_view value
) {
    fmt::format_to(std::back_inserter(out), "{}{} {}\n", name, labels, value);
}

}  // namespace

void append_head(std::string& out, const FamilySpec& spec, std::string_view type) {
    fmt::format_to(
        std::back_inserter(out),
        "# HELP {0} {1}\n# TYPE {0} {2}\n",
        spec.name,
        escaped(spec.help, false),
        type
    );
}

void append_series(
    std::string& out,
    const FamilySpec& spec,
    const LabelValues& values,
    const Counter::Snapshot& value
) {
    append_line(out, spec.name, label_text(spec, values), fmt::format("{}", value));
}

void append_series(
    std::string& out,
    const FamilySpec& spec,
    const LabelValues& values,
    const Gauge::Snapshot& value
) {
    append_line(out, spec.name, label_text(spec, values), number(value));
}

void append_series(
    std::string& out,
    const FamilySpec& spec,
    const LabelValues& values,
    const Histogram::Snapshot& value
) {
    const std::string labels = label_text(spec, values);
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < value.counts.size(); ++i) {
        total += value.counts[i];
        const std::string le = i < spec.bounds.size() ? number(spec.bounds[i]) : "+Inf";
        const std::string bucket_labels = label_text(spec, values, le);
        append_line(out, spec.name + "_bucket", bucket_labels, fmt::format("{}", total));
    }
    append_line(out, spec.name + "_sum", labels, number(value.sum));
    append_line(out, spec.name + "_count", labels, fmt::format("{}", total));
}

}  // namespace orch::metrics
