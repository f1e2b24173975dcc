#pragma once

#include "base/settings_names.hpp"

#include <string>
#include <vector>

namespace orch::settings_detail {

struct YamlFindings {
    Findings findings;
    std::vector<SettingsSection> sections{};
};

// A file's text: one mapping of settings, and the sections that others parse. Unknown and repeated
// keys are errors, named with `path` and line. Pure.
YamlFindings read_yaml(
    const SettingsTable& table,
    const Names& names,
    const std::string& path,
    const std::string& file_text
);

}  // namespace orch::settings_detail
