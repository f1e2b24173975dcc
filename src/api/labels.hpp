#pragma once

#include "base/result.hpp"

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

// What machines and pools are labelled with, and requests ask for: zone=a, tier=fast. Pure; any
// thread.
namespace orch::api {

using Labels = std::map<std::string, std::string>;

// Of one node, pool or request.
inline constexpr std::size_t kMaxLabels = 64;
inline constexpr std::size_t kMaxLabelValue = 256;  // bytes

// Of items "name=value"; a name is an id (valid_id()), a value may be empty and hold "=".
// Errors: invalid_params "<source>: ..." naming the item.
Result<Labels> read_labels(const std::vector<std::string>& items, std::string_view source);

// The same of a comma list; blanks around items and empty items do not count.
Result<Labels> parse_labels(std::string_view text, std::string_view source);

}  // namespace orch::api
