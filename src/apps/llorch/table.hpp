#pragma once

#include <cstddef>
#include <string>
#include <vector>

// Tables for people: aligned columns, two blanks between them, notes under a row. Pure.
namespace orch::llorch {

// How text may look where it goes.
struct TextStyle {
    std::size_t width = 0;  // columns of the terminal; 0 = no limit
    bool colour = false;    // ANSI colours
};

enum class Tone { plain, good, warning, bad };

enum class Align { left, right };

struct Column {
    std::string title;
    Align align = Align::left;
    bool shrinks = false;  // its cells may be clipped where the terminal is too narrow
};

// Requires: the text is printable().
struct Cell {
    std::string text;
    Tone tone = Tone::plain;
};

struct Row {
    std::vector<Cell> cells;         // one per column
    std::vector<std::string> notes;  // lines under the row, indented and wrapped
};

struct Table {
    std::vector<Column> columns;
    std::vector<Row> rows;
};

// The table with its heading, each line with its newline and without blanks at its end.
std::string render(const Table& table, const TextStyle& style);

}  // namespace orch::llorch
