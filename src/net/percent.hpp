#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace orch::net {

// Decodes %XX; nothing for a broken escape or a NUL.
std::optional<std::string> percent_decode(std::string_view text);

// The decoded value of `name` in a query string, in which + is a space; nothing when absent or
// broken.
std::optional<std::string> query_value(std::string_view query, std::string_view name);

}  // namespace orch::net
