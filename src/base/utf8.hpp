#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace orch {

// Whether every byte belongs to a well-formed UTF-8 sequence (no overlong forms, no surrogates).
bool valid_utf8(std::string_view text);

// The text with every byte that is not part of a well-formed sequence replaced by U+FFFD.
std::string to_valid_utf8(std::string_view text);

// How many bytes of the beginning of `text` are whole characters: cuts off a sequence that a chunk
// border split. Malformed bytes count as characters of one byte.
std::size_t whole_utf8_prefix(std::string_view text);

}  // namespace orch
