#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

// Small questions about text. Pure.
namespace orch {

// Without blanks, tabs and line ends at both ends.
std::string_view trimmed(std::string_view text);

// The parts between separators, trimmed, in order; empty ones are kept. Never empty.
std::vector<std::string_view> split(std::string_view text, char separator);

// The lines without their ends, untrimmed; nothing after a last line end.
std::vector<std::string_view> lines_of(std::string_view text);

// ASCII letters count as equal in either case: header names, schemes, host names.
bool equal_ignoring_case(std::string_view a, std::string_view b);

// Insertions, deletions and replacements that turn `a` into `b` (Levenshtein).
std::size_t edit_distance(std::string_view a, std::string_view b);

// The candidate that is nearest to `text`; empty when there is no candidate.
std::string nearest(std::string_view text, const std::vector<std::string>& candidates);

}  // namespace orch
