#include "base/settings_test_table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace orch::settings_test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

TEST(Settings, HaveTheirDefaults) {
    const auto read = load({});
    EXPECT_THAT(read.errors, IsEmpty());
    EXPECT_EQ(read.mode, SettingsMode::run);
    EXPECT_EQ(read.settings.get_duration(kTimeout), seconds(30));
    EXPECT_EQ(read.settings.get_duration(kPoll), seconds(5));
    EXPECT_EQ(read.settings.get_number("ORCHD_ADMISSION_CAPACITY"), 100U);
    EXPECT_EQ(read.settings.get_text("ORCHESTRATORD_PLACEMENT_STRATEGY"), "auto");
    EXPECT_FALSE(read.settings.find_address(kAddr));
    EXPECT_FALSE(read.settings.find_bool(kRequireAuth));
    EXPECT_THAT(read.settings.get_list("ORCHD_POOL_MANAGERS"), IsEmpty());
    EXPECT_FALSE(read.settings.given(kTimeout));
    EXPECT_EQ(origin(read, kTimeout), "default");
}

TEST(SettingNames, AreTheEnvironmentNamesWithoutThePrefix) {
    const auto read = load(
        {"--api-token=0123456789abcdef",
         "--pool-managerd-url",
         "http://n:9200",
         "--admission_capacity=7",
         "--model",
         "m.gguf"}
    );
    EXPECT_THAT(read.errors, IsEmpty());
    EXPECT_EQ(read.settings.get_text(kToken), "0123456789abcdef");
    EXPECT_EQ(read.settings.get_text("POOL_MANAGERD_URL"), "http://n:9200");
    EXPECT_EQ(read.settings.get_number("ORCHD_ADMISSION_CAPACITY"), 7U);
    EXPECT_EQ(read.settings.get_text("model"), "m.gguf");
}

TEST(SettingFlags, TakeTheirValueEitherWayAndTheLastWins) {
    EXPECT_EQ(load({"--addr=a:1"}).settings.get_address(kAddr).host, "a");
    EXPECT_EQ(load({"--addr", "a:1"}).settings.get_address(kAddr).host, "a");
    EXPECT_EQ(load({"--addr", "a:1", "--addr", "b:1"}).settings.get_address(kAddr).host, "b");
    EXPECT_EQ(load({"--bind-addr", "c:1"}).settings.get_address(kAddr).host, "c");
}

TEST(SettingFlags, OfBooleansNeedNoValue) {
    EXPECT_EQ(load({"--require-auth"}).settings.find_bool(kRequireAuth), true);
    EXPECT_EQ(load({"--require-auth", "false"}).settings.find_bool(kRequireAuth), false);
    EXPECT_EQ(load({"--require-auth=0"}).settings.find_bool(kRequireAuth), false);
    const auto read = load({"--require-auth", "--addr", "a:1"});
    EXPECT_EQ(read.settings.find_bool(kRequireAuth), true);
    EXPECT_EQ(read.settings.get_address(kAddr).host, "a");
}

TEST(SettingFlags, ThatAreUnknownNameTheNearestOne) {
    EXPECT_THAT(
        load({"--node-timout-secs", "3"}).errors,
        ElementsAre(
            "--node-timout-secs is not a flag; the nearest is --node-timeout-secs",
            "3: unexpected argument, only flags are understood"
        )
    );
    EXPECT_THAT(
        load({"--chek-config"}).errors,
        ElementsAre("--chek-config is not a flag; the nearest is --check-config")
    );
    EXPECT_THAT(load({"-x"}).errors, ElementsAre(HasSubstr("-x is not a flag")));
    EXPECT_THAT(load({"--"}).errors, ElementsAre(HasSubstr("unexpected argument")));
}

TEST(SettingFlags, WithoutAValueAreErrors) {
    EXPECT_THAT(load({"--addr"}).errors, ElementsAre("--addr needs a value"));
    EXPECT_THAT(load({"--addr="}).errors, ElementsAre("--addr needs a value"));
    EXPECT_THAT(load({"--addr", "--require-auth"}).errors, ElementsAre("--addr needs a value"));
    EXPECT_THAT(load({"--config"}).errors, ElementsAre("--config needs a value"));
}

TEST(SettingFlags, AskForSomethingElseThanARun) {
    EXPECT_EQ(load({"--help"}).mode, SettingsMode::help);
    EXPECT_EQ(load({"-h"}).mode, SettingsMode::help);
    EXPECT_EQ(load({"--version"}).mode, SettingsMode::version);
    EXPECT_EQ(load({"--print-config"}).mode, SettingsMode::print_config);
    EXPECT_EQ(load({"--check-config"}).mode, SettingsMode::check_config);
    EXPECT_EQ(load({"--help", "--check-config"}).mode, SettingsMode::help);
}

TEST(SettingsEnvironment, IgnoresStrangersAndWarnsAboutNearMisses) {
    const auto read = load(
        {},
        {{"PATH", "/bin"},
         {"ORCHESTRATORD_PORT", "tcp://10.0.0.1:8080"},
         {"ORCHESTRATORD_SERVICE_HOST", "10.0.0.1"},
         {"ORCHESTRATORD_NODE_TIMOUT_SECS", "5"}}
    );
    EXPECT_THAT(read.errors, IsEmpty());
    EXPECT_THAT(
        read.warnings,
        ElementsAre("ORCHESTRATORD_NODE_TIMOUT_SECS is not a setting and is ignored; did you mean "
                    "ORCHESTRATORD_NODE_TIMEOUT_SECS?")
    );
}

TEST(SettingsEnvironment, TakesEmptyAsUnset) {
    const auto read = load({}, {{std::string(kTimeout), ""}, {std::string(kToken), ""}});
    EXPECT_THAT(read.errors, IsEmpty());
    EXPECT_FALSE(read.settings.given(kTimeout));
    EXPECT_FALSE(read.settings.find_text(kToken));
}

TEST(SettingAliases, StandBackBehindTheSettingsOwnName) {
    EXPECT_EQ(load({}, {{"ORCHD_ADDR", "a:1"}}).settings.get_address(kAddr).host, "a");
    const auto read = load({}, {{"ORCHD_ADDR", "a:1"}, {"ORCHESTRATORD_ADDR", "b:1"}});
    EXPECT_EQ(read.settings.get_address(kAddr).host, "b");
    EXPECT_THAT(read.warnings, ElementsAre("ORCHD_ADDR is ignored: ORCHESTRATORD_ADDR is set too"));
    const auto same = load({}, {{"ORCHD_ADDR", "a:1"}, {"ORCHESTRATORD_ADDR", "a:1"}});
    EXPECT_THAT(same.warnings, IsEmpty());
}

TEST(SettingAliases, MaySayTheOpposite) {
    EXPECT_EQ(load({}, {{"AUTH_OPTIONAL", "true"}}).settings.find_bool(kRequireAuth), false);
    EXPECT_EQ(load({"--auth-optional=0"}).settings.find_bool(kRequireAuth), true);
    EXPECT_THAT(
        load({}, {{"AUTH_OPTIONAL", "maybe"}}).errors,
        ElementsAre("ORCHESTRATORD_REQUIRE_AUTH (environment AUTH_OPTIONAL): \"maybe\" must be "
                    "true, false, 1 or 0")
    );
}

TEST(SettingAliases, MayBeOld) {
    const auto read = load({}, {{"AUTH_TOKEN", "0123456789abcdef"}});
    EXPECT_EQ(read.settings.get_text(kToken), "0123456789abcdef");
    EXPECT_THAT(
        read.warnings, ElementsAre("environment AUTH_TOKEN is an old name of LLORCH_API_TOKEN")
    );
}

TEST(SettingDurations, AreTakenInSecondsOrMilliseconds) {
    EXPECT_EQ(
        load({"--node-timeout-ms", "250"}).settings.get_duration(kTimeout), milliseconds(250)
    );
    EXPECT_EQ(
        load({}, {{"ORCHESTRATORD_POOL_POLL_INTERVAL_SECS", "2"}}).settings.get_duration(kPoll),
        seconds(2)
    );
}

struct BadValue {
    std::string argument;
    std::string error;
};

TEST(SettingValues, AreCheckedAndAllErrorsComeAtOnce) {
    const std::vector<BadValue> bad{
        {"--node-timeout-secs=0",
         "ORCHESTRATORD_NODE_TIMEOUT_SECS (flag --node-timeout-secs): \"0\" must be a whole number "
         "of seconds from 1 to 86400"},
        {"--pool-poll-interval-ms=9",
         "ORCHESTRATORD_POOL_POLL_INTERVAL_MS (flag --pool-poll-interval-ms): \"9\" must be a "
         "whole "
         "number of milliseconds from 10 to 86400000"},
        {"--token-grace-secs=86401",
         "LLORCH_TOKEN_GRACE_SECS (flag --token-grace-secs): \"86401\" must be 0 or a whole number "
         "of seconds from 1 to 86400"},
        {"--admission-capacity=1001",
         "ORCHD_ADMISSION_CAPACITY (flag --admission-capacity): \"1001\" must be a whole number "
         "from "
         "0 to 1000"},
        {"--placement-strategy=best",
         "ORCHESTRATORD_PLACEMENT_STRATEGY (flag --placement-strategy): \"best\" must be one of "
         "auto, random"},
        {"--require-auth=yes",
         "ORCHESTRATORD_REQUIRE_AUTH (flag --require-auth): \"yes\" must be true, false, 1 or 0"},
    };
    std::vector<std::string> arguments{"--addr=nonsense"};
    for (const BadValue& value : bad) {
        arguments.push_back(value.argument);
    }
    const auto read = load(arguments);
    EXPECT_EQ(read.errors.size(), bad.size() + 1);
    EXPECT_THAT(read.errors, Contains(HasSubstr("\"nonsense\" must be HOST:PORT")));
    for (const BadValue& value : bad) {
        EXPECT_THAT(read.errors, Contains(value.error));
    }
    EXPECT_EQ(read.settings.get_duration(kTimeout), seconds(30));
}

TEST(SettingValues, OfNumbersAreWholeAndInRange) {
    for (const char* const bad :
         {"-1", "1.5", "1e2", " 5", "5s", "0x10", "99999999999999999999999"}) {
        EXPECT_EQ(load({std::string("--admission-capacity=") + bad}).errors.size(), 1U) << bad;
        EXPECT_EQ(load({std::string("--node-timeout-secs=") + bad}).errors.size(), 1U) << bad;
    }
    EXPECT_THAT(load({"--token-grace-secs=0", "--node-timeout-secs=86400"}).errors, IsEmpty());
}

TEST(SettingValues, OfUrlsAreHttpWithAHost) {
    for (const char* const good :
         {"http://n1:9200", "https://gpu.example", "http://[::1]:80/base", "https://a/"}) {
        EXPECT_THAT(load({"--pool-managerd-url", good}).errors, IsEmpty()) << good;
    }
    for (const char* const bad :
         {"n1:9200",
          "ftp://n1",
          "http://",
          "http://u:p@n1",
          "http://n1?x=1",
          "http://n1#f",
          "//n1",
          "http://n1:0",
          "http://n 1"}) {
        EXPECT_EQ(load({"--pool-managerd-url", bad}).errors.size(), 1U) << bad;
        EXPECT_EQ(load({"--pool-managers", bad}).errors.size(), 1U) << bad;
    }
    EXPECT_THAT(
        load({"--pool-managers", "http://a:1, http://b:2,"})
            .settings.get_list("ORCHD_POOL_MANAGERS"),
        ElementsAre("http://a:1", "http://b:2")
    );
}

TEST(SecretSettings, AreNotShownInErrors) {
    auto table = make_table();
    table.settings.push_back(
        {.name = "ORCHESTRATORD_PIN", .kind = SettingKind::number, .secret = true}
    );
    const auto read = load_settings(table, {{"--pin=hunter2"}, {}});
    ASSERT_EQ(read.errors.size(), 1U);
    EXPECT_THAT(read.errors[0], HasSubstr("ORCHESTRATORD_PIN (flag --pin): the value must be"));
    EXPECT_THAT(read.errors[0], Not(HasSubstr("hunter2")));
}

TEST(ChangedSettings, AreThoseWithAnotherValue) {
    const auto before = load({"--node-timeout-secs=5"});
    const auto after = load({"--node-timeout-ms=5000", "--admission-capacity=5", "--require-auth"});
    EXPECT_THAT(
        changed_settings(before.settings, after.settings),
        UnorderedElementsAre("ORCHD_ADMISSION_CAPACITY", "ORCHESTRATORD_REQUIRE_AUTH")
    );
    EXPECT_TRUE(before.settings.entry(kTimeout).setting.live);
}

TEST(ProcessSources, AreTheArgumentsWithoutTheProgramAndTheEnvironment) {
    const char* const argv[] = {"orchestratord", "--addr", "a:1"};
    const char* const environment[] = {"A=1=2", "B=", "strange", nullptr};
    const auto sources = process_sources(3, argv, environment);
    EXPECT_THAT(sources.arguments, ElementsAre("--addr", "a:1"));
    EXPECT_EQ(sources.environment, (Environment{{"A", "1=2"}, {"B", ""}}));
}

TEST(SettingsTable, ThatContradictsItselfIsABug) {
    SettingsTable table{.program = "p", .version = "1", .summary = "s", .prefixes = {"P_", "Q_"}};
    table.settings = {{.name = "P_ADDR"}, {.name = "Q_ADDR"}};
    EXPECT_THROW(load_settings(table, {}), std::logic_error);
    table.settings = {{.name = "P_WAIT", .kind = SettingKind::duration}};
    EXPECT_THROW(load_settings(table, {}), std::logic_error);
    table.settings = {{.name = "P_N", .kind = SettingKind::number, .fallback = "x"}};
    EXPECT_THROW(load_settings(table, {}), std::logic_error);
    const auto read = load({});
    EXPECT_THROW(read.settings.get_text("UNKNOWN"), std::logic_error);
    EXPECT_THROW(read.settings.get_text(kTimeout), std::logic_error);
    EXPECT_THROW(read.settings.get_address(kAddr), std::logic_error);
}

}  // namespace
}  // namespace orch::settings_test
