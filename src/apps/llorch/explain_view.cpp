#include "apps/llorch/explain_view.hpp"

#include "apps/llorch/figures.hpp"
#include "apps/llorch/printable.hpp"

#include <fmt/format.h>

#include <optional>

namespace orch::llorch {
namespace {

bool chosen(const api::TaskPreview& preview, const api::TaskCandidate& candidate) {
    return preview.decision && preview.decision->node_id == candidate.node_id &&
           preview.decision->pool_id == candidate.pool_id;
}

std::string when_text(const api::TaskPreview& preview) {
    const std::string why =
        preview.message
            ? printable(*preview.message) + ", and one that comes back or is loaded is waited for"
            : "every pool that fits is full";
    const std::string ahead =
        fmt::format("{}: {} before it", why, preview.queue_position.value_or(0));
    if (!preview.predicted_start_ms) {
        return ahead + " in the queue\n";
    }
    return fmt::format(
        "{} in the queue, a slot in about {:.1f} s\n",
        ahead,
        static_cast<double>(*preview.predicted_start_ms) / 1000.0
    );
}

std::string decision_text(const api::TaskPreview& preview) {
    if (preview.code) {
        return fmt::format(
            "nowhere: {}: {}\n", printable(*preview.code), printable(preview.message.value_or(""))
        );
    }
    if (preview.decision) {
        return fmt::format(
            "to pool {} of node {}, at once\n",
            printable(preview.decision->pool_id.str()),
            printable(preview.decision->node_id.str())
        );
    }
    return when_text(preview);
}

Row row_of(
    const api::TaskPreview& preview, const api::TaskCandidate& candidate, std::size_t place
) {
    const bool takes = chosen(preview, candidate);
    Row row;
    row.cells = {
        {candidate.feasible ? fmt::format("{}", place) : "-"},
        {printable(candidate.node_id.str())},
        {printable(candidate.pool_id.str())},
        {takes                ? "chosen"
         : candidate.feasible ? "fits"
                              : "no",
         takes                ? Tone::good
         : candidate.feasible ? Tone::plain
                              : Tone::bad},
        {percent_text(candidate.load)},
        {vram_text(candidate.vram_free_bytes, std::nullopt)},
    };
    for (const std::string& reason : candidate.reasons) {
        row.notes.push_back(printable(reason));
    }
    return row;
}

}  // namespace

std::string explain_text(const api::TaskPreview& preview, const TextStyle& style) {
    std::string text = decision_text(preview);
    if (preview.candidates.empty()) {
        return text;
    }
    Table table;
    table.columns = {
        {"ORDER", Align::right},
        {"NODE"},
        {"POOL"},
        {"VERDICT"},
        {"LOAD", Align::right},
        {"VRAM FREE", Align::right},
    };
    std::size_t place = 0;
    for (const api::TaskCandidate& candidate : preview.candidates) {
        place += candidate.feasible ? 1 : 0;
        table.rows.push_back(row_of(preview, candidate, place));
    }
    return text + "\n" + render(table, style);
}

}  // namespace orch::llorch
