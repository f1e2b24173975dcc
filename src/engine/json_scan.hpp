#pragma once

#include <string_view>

// Looking for a key in JSON without building its tree.
namespace orch::engine {

std::string_view skip_blanks(std::string_view text);

// What follows `"key":` in compact or spaced JSON, at its first place; empty when there is none.
// Inside a JSON string the quotes would be escaped, so generated text cannot look like a key.
// `quoted_key` has its quotes.
std::string_view value_of(std::string_view json, std::string_view quoted_key);

}  // namespace orch::engine
