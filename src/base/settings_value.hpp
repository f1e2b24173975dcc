#pragma once

#include "base/settings_names.hpp"

#include <string>
#include <string_view>

namespace orch::settings_detail {

// The text of a setting as its kind reads it; `unit` is the one its name says. Pure.
// Errors: invalid_params; the message is what is allowed ("must be ...").
Result<SettingValue> parse_value(const Setting& setting, TimeUnit unit, std::string_view text);

// "true" for "0": what a negated alias says, as text of the setting itself. Other text unchanged.
std::string negated(std::string_view text);

}  // namespace orch::settings_detail
