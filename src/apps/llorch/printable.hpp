#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

// Text that a server sent, made fit for a terminal. Pure.
namespace orch::llorch {

// One line: valid UTF-8, line ends and tabs as blanks, every other control character as '?', so
// that no answer can drive the terminal by escape sequences.
std::string printable(std::string_view text);

// The same line by line, blanks at line ends and empty lines left out.
std::vector<std::string> printable_lines(std::string_view text);

// Columns the text takes, one per character. Requires: valid UTF-8.
std::size_t display_width(std::string_view text);

// The text in at most `width` columns, its end replaced by an ellipsis when it is longer.
std::string clipped(std::string_view text, std::size_t width);

// The text in lines of at most `width` columns, broken between words where possible; the leading
// blanks of the text stand before every line.
std::vector<std::string> wrapped(std::string_view text, std::size_t width);

}  // namespace orch::llorch
