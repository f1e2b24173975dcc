#pragma once

#include "base/log.hpp"
#include "base/settings.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace orch::daemon {

// What both daemons know under the same names, or under PREFIX_ of their own: tokens, whether
// callers need one, and the log. `peers`: to whom the first token is sent.
std::vector<Setting> common_settings(const std::string& prefix, const std::string& peers);

struct LogSettings {
    LogLevel level = LogLevel::info;
    LogFormat format = LogFormat::json;
    std::uint64_t access_sample = 1;  // one in this many, of requests that went well
};

// Requires: the settings are those of a table with common_settings(prefix, ...).
LogSettings read_log_settings(const Settings& settings, const std::string& prefix);

}  // namespace orch::daemon
