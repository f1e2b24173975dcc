#include "daemon/settings_in_force.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace orch::daemon {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

SettingsTable table() {
    return {
        .program = "x",
        .version = "1",
        .summary = "s",
        .prefixes = {"X_"},
        .settings =
            {{.name = "X_IDLE_SECS", .kind = SettingKind::duration, .fallback = "5", .live = true},
             {.name = "X_ADDR", .kind = SettingKind::address, .fallback = "127.0.0.1:1"}},
        .sections = {{.key = "pools", .help = "Pools."}},
    };
}

SettingsRead read(std::vector<std::string> arguments) {
    return load_settings(table(), {std::move(arguments), {}});
}

SettingsRead with_pools(std::string yaml) {
    SettingsRead made = read({});
    made.sections = {{.key = "pools", .path = "x.yaml", .file_text = yaml, .redacted_yaml = yaml}};
    return made;
}

TEST(SettingsInForce, TellsLiveChangesFromThoseThatNeedARestart) {
    const SettingsInForce in_force(read({}));
    const auto report = in_force.compare(read({"--idle-secs", "7", "--addr", "127.0.0.1:2"}));
    EXPECT_THAT(report.changed, ElementsAre("X_IDLE_SECS"));
    EXPECT_THAT(report.needs_restart, ElementsAre("X_ADDR"));
    const auto nothing = in_force.compare(read({}));
    EXPECT_THAT(nothing.changed, IsEmpty());
    EXPECT_THAT(nothing.needs_restart, IsEmpty());
}

TEST(SettingsInForce, TakesOnlyWhatIsLive) {
    SettingsInForce in_force(read({}));
    const SettingsRead next = read({"--idle-secs", "7", "--addr", "127.0.0.1:2"});
    in_force.take(next);
    EXPECT_EQ(in_force.settings().get_duration("X_IDLE_SECS"), std::chrono::seconds(7));
    EXPECT_EQ(in_force.settings().get_address("X_ADDR").port, 1);
    const auto again = in_force.compare(next);
    EXPECT_THAT(again.changed, IsEmpty());
    EXPECT_THAT(again.needs_restart, ElementsAre("X_ADDR"));
}

TEST(SettingsInForce, PoolsOfTheFileNeedARestart) {
    const SettingsInForce in_force(with_pools("- id: a"));
    EXPECT_THAT(in_force.compare(with_pools("- id: a")).needs_restart, IsEmpty());
    EXPECT_THAT(in_force.compare(with_pools("- id: b")).needs_restart, ElementsAre("pools"));
    EXPECT_THAT(in_force.compare(read({})).needs_restart, ElementsAre("pools"));
}

}  // namespace
}  // namespace orch::daemon
