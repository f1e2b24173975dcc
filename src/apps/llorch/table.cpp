#include "apps/llorch/table.hpp"

#include "apps/llorch/printable.hpp"

#include <algorithm>
#include <numeric>
#include <string_view>

namespace orch::llorch {
namespace {

constexpr std::size_t kGap = 2;
constexpr std::size_t kNarrowest = 8;  // a shrunk column keeps as much
constexpr std::string_view kNoteIndent = "    ";

std::string_view escape_of(Tone tone) {
    switch (tone) {
        case Tone::good:
            return "\x1b[32m";
        case Tone::warning:
            return "\x1b[33m";
        case Tone::bad:
            return "\x1b[31m";
        case Tone::plain:
            break;
    }
    return "";
}

std::string coloured(std::string text, Tone tone, const TextStyle& style) {
    if (!style.colour || tone == Tone::plain || text.empty()) {
        return text;
    }
    return std::string(escape_of(tone)).append(text).append("\x1b[0m");
}

std::vector<std::size_t> natural_widths(const Table& table) {
    std::vector<std::size_t> widths;
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
        std::size_t width = display_width(table.columns[i].title);
        for (const Row& row : table.rows) {
            width = std::max(width, display_width(row.cells[i].text));
        }
        widths.push_back(width);
    }
    return widths;
}

std::size_t line_width(const std::vector<std::size_t>& widths) {
    const std::size_t gaps = widths.empty() ? 0 : (widths.size() - 1) * kGap;
    return std::accumulate(widths.begin(), widths.end(), gaps);
}

// The widest column that can still give up a place.
std::size_t* widest_to_shrink(const Table& table, std::vector<std::size_t>& widths) {
    std::size_t* widest = nullptr;
    for (std::size_t i = 0; i < widths.size(); ++i) {
        const std::size_t least = std::max(kNarrowest, display_width(table.columns[i].title));
        const bool can = table.columns[i].shrinks && widths[i] > least;
        if (can && (widest == nullptr || widths[i] > *widest)) {
            widest = &widths[i];
        }
    }
    return widest;
}

std::vector<std::size_t> fitted_widths(const Table& table, const TextStyle& style) {
    std::vector<std::size_t> widths = natural_widths(table);
    while (style.width != 0 && line_width(widths) > style.width) {
        std::size_t* const widest = widest_to_shrink(table, widths);
        if (widest == nullptr) {
            break;
        }
        --*widest;
    }
    return widths;
}

// Appends the cell; `pending` are the blanks before it, which the last cell leaves unwritten.
void add_cell(
    std::string& line,
    std::size_t& pending,
    const Cell& cell,
    Align align,
    std::size_t width,
    const TextStyle& style
) {
    std::string text = clipped(cell.text, width);
    const std::size_t spare = width - display_width(text);
    if (align == Align::right) {
        pending += spare;
    }
    if (!text.empty()) {
        line.append(pending, ' ').append(coloured(std::move(text), cell.tone, style));
        pending = 0;
    }
    pending += kGap + (align == Align::left ? spare : 0);
}

std::string line_of(
    const std::vector<Cell>& cells,
    const Table& table,
    const std::vector<std::size_t>& widths,
    const TextStyle& style
) {
    std::string line;
    std::size_t pending = 0;
    for (std::size_t i = 0; i < cells.size(); ++i) {
        add_cell(line, pending, cells[i], table.columns[i].align, widths[i], style);
    }
    return line + "\n";
}

std::string heading(
    const Table& table, const std::vector<std::size_t>& widths, const TextStyle& style
) {
    std::vector<Cell> titles;
    for (const Column& column : table.columns) {
        titles.push_back(Cell{column.title});
    }
    return line_of(titles, table, widths, style);
}

std::string note_text(const std::string& note, const TextStyle& style) {
    const std::string line = std::string(kNoteIndent).append(note);
    if (style.width == 0) {
        return line + "\n";
    }
    std::string out;
    for (const std::string& part : wrapped(line, style.width)) {
        out += part + "\n";
    }
    return out;
}

}  // namespace

std::string render(const Table& table, const TextStyle& style) {
    const std::vector<std::size_t> widths = fitted_widths(table, style);
    std::string out = heading(table, widths, style);
    for (const Row& row : table.rows) {
        out += line_of(row.cells, table, widths, style);
        for (const std::string& note : row.notes) {
            out += note_text(note, style);
        }
    }
    return out;
}

}  // namespace orch::llorch
