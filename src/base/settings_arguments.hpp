#pragma once

#include "base/settings_names.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace orch::settings_detail {

struct Arguments {
    Findings findings;
    SettingsMode mode = SettingsMode::run;
    std::optional<std::string> config_path{};
};

// The command line, last flag first: the last of repeated flags wins. A boolean flag alone means
// true. Pure.
Arguments read_arguments(const Names& names, const std::vector<std::string>& arguments);

// Environment names that are settings; near misses are warned about, others ignored. Empty values
// count as unset. Pure.
Findings read_environment(
    const SettingsTable& table,
    const Names& names,
    const std::map<std::string, std::string>& environment
);

}  // namespace orch::settings_detail
