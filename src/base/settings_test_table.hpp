#pragma once

#include "base/settings.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// A table with one setting of every kind, and helpers, for the tests of the settings reader.
namespace orch::settings_test {

inline constexpr std::string_view kTimeout = "ORCHESTRATORD_NODE_TIMEOUT_SECS";
inline constexpr std::string_view kPoll = "ORCHESTRATORD_POOL_POLL_INTERVAL_MS";
inline constexpr std::string_view kAddr = "ORCHESTRATORD_ADDR";
inline constexpr std::string_view kRequireAuth = "ORCHESTRATORD_REQUIRE_AUTH";
inline constexpr std::string_view kToken = "LLORCH_API_TOKEN";

inline SettingsTable make_table() {
    return {
        .program = "orchestratord",
        .version = "0.2.0",
        .summary = "The control plane.",
        .prefixes = {"ORCHESTRATORD_", "ORCHD_", "LLORCH_"},
        .settings =
            {
                {.name = "ORCHESTRATORD_ADDR",
                 .kind = SettingKind::address,
                 .help = "Where to listen.",
                 .aliases = {{"ORCHD_ADDR"}, {"ORCHESTRATORD_BIND_ADDR"}},
                 .fallback_note = "127.0.0.1:8080"},
                {.name = "ORCHESTRATORD_NODE_TIMEOUT_SECS",
                 .kind = SettingKind::duration,
                 .fallback = "30",
                 .help = "Silence after which a node is offline.",
                 .live = true},
                {.name = "ORCHESTRATORD_POOL_POLL_INTERVAL_MS",
                 .kind = SettingKind::duration,
                 .fallback = "5000"},
                {.name = "LLORCH_TOKEN_GRACE_SECS",
                 .kind = SettingKind::duration,
                 .fallback = "60",
                 .zero_allowed = true},
                {.name = "ORCHD_ADMISSION_CAPACITY",
                 .kind = SettingKind::number,
                 .fallback = "100",
                 .high = 1000,
                 .unit = "requests"},
                {.name = "ORCHESTRATORD_PLACEMENT_STRATEGY",
                 .kind = SettingKind::choice,
                 .fallback = "auto",
                 .choices = {"auto", "random"}},
                {.name = "ORCHESTRATORD_REQUIRE_AUTH",
                 .kind = SettingKind::boolean,
                 .aliases = {{.name = "AUTH_OPTIONAL", .negated = true}}},
                {.name = "LLORCH_API_TOKEN",
                 .aliases = {{.name = "AUTH_TOKEN", .deprecated = true}},
                 .secret = true,
                 .live = true},
                {.name = "ORCHD_POOL_MANAGERS", .kind = SettingKind::url_list},
                {.name = "POOL_MANAGERD_URL", .kind = SettingKind::url},
                {.name = "ORCHESTRATORD_CORS_ORIGINS", .kind = SettingKind::list},
                {.name = "ORCHESTRATORD_STATE_DIR", .kind = SettingKind::path},
                {.name = "model", .kind = SettingKind::path, .help = "A model to serve."},
            },
        .sections = {{.key = "pools", .help = "The pools of this node.", .redacted_keys = {"env"}}},
    };
}

using Environment = std::map<std::string, std::string>;

inline SettingsRead load(std::vector<std::string> arguments, Environment environment = {}) {
    return load_settings(make_table(), {std::move(arguments), std::move(environment)});
}

// The settings as a file holds them.
class SettingsFile : public testing::Test {
protected:
    std::string path = testing::TempDir() + std::to_string(getpid()) + "-settings_test.yaml";

    ~SettingsFile() override { std::filesystem::remove(path); }

    void write(const std::string& text) const { std::ofstream(path, std::ios::binary) << text; }

    SettingsRead load_file_text(
        const std::string& text,
        std::vector<std::string> arguments = {},
        Environment environment = {}
    ) const {
        write(text);
        arguments.insert(arguments.begin(), {"--config", path});
        return load(std::move(arguments), std::move(environment));
    }

    std::string at(int line) const { return path + ":" + std::to_string(line); }
};

inline std::string origin(const SettingsRead& read, std::string_view name) {
    return read.settings.entry(name).origin.describe();
}

}  // namespace orch::settings_test
