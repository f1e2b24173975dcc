#include "apps/llorch/model_view.hpp"

#include "api/model_messages.hpp"
#include "apps/llorch/figures.hpp"
#include "apps/llorch/printable.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace orch::llorch {
namespace {

constexpr std::size_t kShortDigest = 12;  // hex digits

std::string short_digest(const std::optional<std::string>& digest) {
    const std::string text = or_unknown(digest);
    const std::size_t colon = text.find(':');
    return colon == std::string::npos ? text : text.substr(colon + 1, kShortDigest);
}

Tone tone_of(std::string_view state) {
    if (state == api::kModelCorrupt || state == api::kFailed) {
        return Tone::bad;
    }
    return state == api::kModelReady || state == api::kSucceeded ? Tone::good : Tone::plain;
}

// Of the copies when nobody told of one.
std::optional<std::string> digest_of(const api::CatalogModel& model) {
    if (model.digest || model.nodes.empty()) {
        return model.digest;
    }
    return model.nodes.front().digest;
}

Row row_of(const api::CatalogModel& model) {
    const auto ready = std::ranges::count(model.nodes, api::kModelReady, &api::ModelCopy::state);
    const Bytes bytes = model.nodes.empty() ? 0 : model.nodes.front().bytes;
    const bool whole = static_cast<std::size_t>(ready) == model.nodes.size();
    return {
        .cells =
            {{printable(model.id)},
             {printable(model.state)},
             {bytes == 0 ? kUnknown : size_text(bytes)},
             {share_text(static_cast<std::uint64_t>(ready), model.nodes.size()),
              whole ? Tone::plain : Tone::bad},
             {short_digest(digest_of(model))},
             {model.registered ? "yes" : "no"}},
        .notes = {}
    };
}

Row row_of(const api::OperationPart& part) {
    Row row{
        .cells =
            {{printable(part.node_id)},
             {printable(part.state), tone_of(part.state)},
             {part.bytes_total == 0 ? kUnknown : size_text(part.bytes_total)},
             {part.source.empty() ? kUnknown : printable(part.source)}},
        .notes = {}
    };
    if (part.error) {
        row.notes.push_back(printable(*part.error));
    }
    return row;
}

}  // namespace

std::string size_text(Bytes bytes) {
    if (bytes < kKiB) {
        return fmt::format("{} B", bytes);
    }
    const auto in = [bytes](Bytes unit) {
        return static_cast<double>(bytes) / static_cast<double>(unit);
    };
    if (bytes < kMiB) {
        return fmt::format("{:.1f} KiB", in(kKiB));
    }
    return bytes < kGiB ? fmt::format("{:.1f} MiB", in(kMiB)) : fmt::format("{:.1f} GiB", in(kGiB));
}

std::string catalog_text(const api::CatalogModelList& list, const TextStyle& style) {
    if (list.models.empty()) {
        return "The catalog is empty, and no online node has a model in its store.\n";
    }
    Table table;
    table.columns = {
        {"MODEL"},
        {"STATE"},
        {"SIZE", Align::right},
        {"READY COPIES", Align::right},
        {"SHA256"},
        {"ENTRY"},
    };
    for (const api::CatalogModel& model : list.models) {
        table.rows.push_back(row_of(model));
    }
    return render(table, style);
}

std::string catalog_model_text(const api::CatalogModel& model, const TextStyle& style) {
    std::string text = fmt::format(
        "{}: {}\n  digest: {}\n  source: {}\n",
        printable(model.id),
        printable(model.state),
        or_unknown(digest_of(model)),
        or_unknown(model.source_url)
    );
    if (model.nodes.empty()) {
        return text + "  no online node has it\n";
    }
    Table table;
    table.columns = {{"NODE"}, {"STATE"}, {"SIZE", Align::right}, {"SHA256"}};
    for (const api::ModelCopy& copy : model.nodes) {
        table.rows.push_back(
            {.cells =
                 {{printable(copy.node_id.str())},
                  {printable(copy.state), tone_of(copy.state)},
                  {size_text(copy.bytes)},
                  {short_digest(copy.digest)}},
             .notes = {}}
        );
    }
    return text + render(table, style);
}

std::string availability_text(const api::CatalogAvailability& seen, const TextStyle& style) {
    if (seen.models.empty()) {
        return "No node has a model.\n";
    }
    Table table;
    table.columns = {
        {"MODEL"}, {"NODES", Align::right}, {"SLOTS", Align::right}, {"ON", Align::left, true}
    };
    for (const api::ModelAvailability& model : seen.models) {
        std::vector<std::string> names;
        for (const NodeId& node : model.nodes) {
            names.push_back(node.str());
        }
        const Tone tone = model.total_nodes == 0   ? Tone::bad
                          : model.total_nodes == 1 ? Tone::warning
                                                   : Tone::good;
        table.rows.push_back(
            {.cells =
                 {{printable(model.model_id)},
                  {fmt::format("{}", model.total_nodes), tone},
                  {fmt::format("{}", model.total_capacity)},
                  {list_text(names)}},
             .notes = {}}
        );
    }
    return render(table, style);
}

std::string operation_text(const api::Operation& operation, const TextStyle& style) {
    std::string text = fmt::format(
        "{} {}: {} ({})\n",
        printable(operation.kind),
        printable(operation.target),
        printable(operation.state),
        printable(operation.id)
    );
    if (operation.nodes.empty()) {
        return text;
    }
    Table table;
    table.columns = {{"NODE"}, {"STATE"}, {"SIZE", Align::right}, {"FROM", Align::left, true}};
    for (const api::OperationPart& part : operation.nodes) {
        table.rows.push_back(row_of(part));
    }
    return text + render(table, style);
}

std::string progress_text(const api::Operation& operation) {
    return fmt::format(
        "{} {}: {} ({} of {})",
        printable(operation.kind),
        printable(operation.target),
        percent_text(operation.progress),
        size_text(operation.bytes_done),
        operation.bytes_total == 0 ? "?" : size_text(operation.bytes_total)
    );
}

}  // namespace orch::llorch
