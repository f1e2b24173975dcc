#include "daemon/common_settings.hpp"

#include <utility>

namespace orch::daemon {
namespace {

using Kind = SettingKind;

std::vector<Setting> auth_settings(const std::string& prefix, const std::string& peers) {
    return {
        {.name = "LLORCH_API_TOKEN",
         .kind = Kind::list,
         .help = "Valid tokens; the first one is sent to " + peers + ".",
         .aliases = {{.name = "AUTH_TOKEN", .deprecated = true}},
         .secret = true,
         .live = true},
        {.name = "LLORCH_API_TOKEN_FILE",
         .kind = Kind::path,
         .help = "File with valid tokens, one a line.",
         .live = true},
        {.name = "LLORCH_TOKEN_GRACE_SECS",
         .kind = Kind::duration,
         .fallback = "60",
         .help = "How long a token stays valid after it was removed.",
         .zero_allowed = true,
         .live = true},
        {.name = prefix + "_REQUIRE_AUTH",
         .kind = Kind::boolean,
         .help = "Whether callers need a token.",
         .aliases = {{.name = "AUTH_OPTIONAL", .negated = true}},
         .fallback_note = "true when a token is set or other machines can connect"},
        {.name = "TRUST_PROXY_AUTH",
         .kind = Kind::boolean,
         .help = "Refused: no header can vouch for a caller."},
    };
}

std::vector<Setting> log_settings(const std::string& prefix) {
    return {
        {.name = prefix + "_LOG_LEVEL",
         .kind = Kind::choice,
         .fallback = "info",
         .help = "Lines below this level are not written.",
         .choices = {"trace", "debug", "info", "warn", "error"},
         .live = true},
        {.name = prefix + "_LOG_FORMAT",
         .kind = Kind::choice,
         .help = "How lines look.",
         .choices = {"json", "text"},
         .fallback_note = "text on a terminal, else json",
         .live = true},
        {.name = prefix + "_ACCESS_LOG_SAMPLE",
         .kind = Kind::number,
         .fallback = "1",
         .help = "Of requests that went well one in this many gets an access line; 1 = all.",
         .low = 1,
         .high = 1'000'000,
         .unit = "requests",
         .live = true},
    };
}

}  // namespace

std::vector<Setting> common_settings(const std::string& prefix, const std::string& peers) {
    std::vector<Setting> all = auth_settings(prefix, peers);
    for (Setting& setting : log_settings(prefix)) {
        all.push_back(std::move(setting));
    }
    return all;
}

LogSettings read_log_settings(const Settings& settings, const std::string& prefix) {
    const auto level = log_level_from(settings.get_text(prefix + "_LOG_LEVEL"));
    const auto format = log_format_from(settings.find_text(prefix + "_LOG_FORMAT").value_or(""));
    return {
        level.value_or(LogLevel::info),
        format.value_or(default_log_format()),
        settings.get_number(prefix + "_ACCESS_LOG_SAMPLE"),
    };
}

}  // namespace orch::daemon
