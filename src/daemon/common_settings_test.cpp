#include "daemon/common_settings.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace orch::daemon {
namespace {

SettingsTable table() {
    return {
        .program = "x",
        .version = "1",
        .summary = "",
        .prefixes = {"X_", "LLORCH_"},
        .settings = common_settings("X", "nodes"),
    };
}

TEST(CommonSettings, TheLogIsReadUnderThePrefix) {
    const SettingsRead read = load_settings(
        table(),
        {{}, {{"X_LOG_LEVEL", "debug"}, {"X_LOG_FORMAT", "text"}, {"X_ACCESS_LOG_SAMPLE", "20"}}}
    );
    ASSERT_TRUE(read.errors.empty());
    const LogSettings log = read_log_settings(read.settings, "X");
    EXPECT_EQ(log.level, LogLevel::debug);
    EXPECT_EQ(log.format, LogFormat::text);
    EXPECT_EQ(log.access_sample, 20U);
    EXPECT_EQ(read_log_settings(load_settings(table(), {}).settings, "X").access_sample, 1U);
}

TEST(CommonSettings, WhatARestartAloneChangesIsNotLive) {
    for (const Setting& setting : common_settings("X", "nodes")) {
        const bool fixed = setting.name == "X_REQUIRE_AUTH" || setting.name == "TRUST_PROXY_AUTH";
        EXPECT_EQ(setting.live, !fixed) << setting.name;
    }
}

}  // namespace
}  // namespace orch::daemon
