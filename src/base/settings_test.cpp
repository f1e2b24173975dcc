#include "base/settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace orch {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

constexpr std::string_view kTimeout = "ORCHESTRATORD_NODE_TIMEOUT_SECS";
constexpr std::string_view kPoll = "ORCHESTRATORD_POOL_POLL_INTERVAL_MS";
constexpr std::string_view kAddr = "ORCHESTRATORD_ADDR";
constexpr std::string_view kRequireAuth = "ORCHESTRATORD_REQUIRE_AUTH";
constexpr std::string_view kToken = "LLORCH_API_TOKEN";

SettingsTable make_table() {
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

SettingsRead load(std::vector<std::string> arguments, Environment environment = {}) {
    return load_settings(make_table(), {std::move(arguments), std::move(environment)});
}

// The settings as a file holds them.
class SettingsFile : public testing::Test {
protected:
    std::string path = testing::TempDir() + "settings_test.yaml";

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

std::string origin(const SettingsRead& read, std::string_view name) {
    return read.settings.entry(name).origin.describe();
}

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

TEST_F(SettingsFile, IsBeatenByEnvironmentAndThatByFlags) {
    const std::string text = "node_timeout_secs: 11\n";
    auto read = load_file_text(text);
    EXPECT_EQ(read.settings.get_duration(kTimeout), seconds(11));
    EXPECT_EQ(origin(read, kTimeout), "file " + at(1));

    read = load_file_text(text, {}, {{std::string(kTimeout), "12"}});
    EXPECT_EQ(read.settings.get_duration(kTimeout), seconds(12));
    EXPECT_EQ(origin(read, kTimeout), "environment ORCHESTRATORD_NODE_TIMEOUT_SECS");

    read = load_file_text(text, {"--node-timeout-secs", "13"}, {{std::string(kTimeout), "12"}});
    EXPECT_EQ(read.settings.get_duration(kTimeout), seconds(13));
    EXPECT_EQ(origin(read, kTimeout), "flag --node-timeout-secs");
    EXPECT_TRUE(read.settings.given(kTimeout));
    EXPECT_THAT(read.errors, IsEmpty());
}

TEST_F(SettingsFile, IsNamedByTheEnvironmentToo) {
    write("addr: 127.0.0.1:1\n");
    const auto read = load({}, {{"LLORCH_CONFIG", path}});
    EXPECT_EQ(read.settings.get_address(kAddr), (HostPort{"127.0.0.1", 1}));
    EXPECT_THAT(read.warnings, IsEmpty());
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

TEST_F(SettingsFile, RefusesOneDurationInTwoUnits) {
    EXPECT_THAT(
        load({"--node-timeout-ms", "250"}, {{std::string(kTimeout), "3"}}).errors,
        ElementsAre(
            "flag --node-timeout-ms and environment ORCHESTRATORD_NODE_TIMEOUT_SECS are the "
            "same setting in two units; give one of them"
        )
    );
    EXPECT_THAT(
        load_file_text("node_timeout_ms: 100\nnode_timeout_secs: 3\n").errors,
        ElementsAre(HasSubstr("two units"))
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

TEST_F(SettingsFile, TakesSequencesForListsOnly) {
    const auto read = load_file_text(
        "pool_managers:\n  - http://a:1\n  - http://b:2\ncors-origins: https://x, https://y\n"
    );
    EXPECT_THAT(read.errors, IsEmpty());
    EXPECT_THAT(
        read.settings.get_list("ORCHD_POOL_MANAGERS"), ElementsAre("http://a:1", "http://b:2")
    );
    EXPECT_THAT(
        read.settings.get_list("ORCHESTRATORD_CORS_ORIGINS"), ElementsAre("https://x", "https://y")
    );
    EXPECT_THAT(
        load_file_text("# c\naddr: [a, b]\npool_managers: {a: b}\n").errors,
        ElementsAre(
            at(2) + ": addr must be one value",
            at(3) + ": pool_managers must be one value or a sequence of values"
        )
    );
}

TEST_F(SettingsFile, NamesFileAndLineOfUnknownAndRepeatedKeys) {
    const auto read = load_file_text(
        "node_timeout_secs: 5\n"
        "adr: a:1\n"
        "node-timeout-secs: 6\n"
        "addr: a:1\n"
        "bind_addr: b:1\n"
        "pools: []\n"
        "pools: []\n"
        "addr: c:1\n"
        "? [x]\n: 1\n"
    );
    EXPECT_THAT(
        read.errors,
        ElementsAre(
            at(2) + ": adr is not a setting; the nearest is addr",
            at(3) + ": node-timeout-secs is set again (first at " + at(1) + ")",
            at(5) + ": bind_addr is set again (first at " + at(4) + ")",
            at(7) + ": pools is set again (first at " + at(6) + ")",
            at(8) + ": addr is set again (first at " + at(4) + ")",
            at(9) + ": a key must be a word"
        )
    );
}

TEST_F(SettingsFile, NamesFileAndLineOfABadValue) {
    EXPECT_THAT(
        load_file_text("\nadmission_capacity: many\n").errors,
        ElementsAre(
            "ORCHD_ADMISSION_CAPACITY (file " + at(2) +
            "): \"many\" must be a whole number from 0 to 1000"
        )
    );
}

TEST_F(SettingsFile, IsAMappingInOneReadableDocument) {
    EXPECT_THAT(load_file_text("").errors, IsEmpty());
    EXPECT_THAT(load_file_text("# nothing\n").errors, IsEmpty());
    EXPECT_THAT(load_file_text("addr:\nnode_timeout_secs: ~\n").errors, IsEmpty());
    EXPECT_THAT(
        load_file_text("- a\n").errors, ElementsAre(path + ": must be a mapping of settings")
    );
    EXPECT_THAT(
        load_file_text("a: b\n---\nc: d\n").errors,
        ElementsAre(path + ": holds more than one YAML document")
    );
    EXPECT_THAT(
        load_file_text("addr: a:1\nx: [\n").errors,
        ElementsAre(testing::MatchesRegex(".*yaml:[23]: not YAML: .*"))
    );
    std::filesystem::remove(path);
    EXPECT_THAT(
        load({"--config", path}).errors,
        ElementsAre(path + ": cannot be read: No such file or directory")
    );
}

TEST_F(SettingsFile, PassesSectionsOnWithTheirPlace) {
    const std::string text = "addr: a:1\npools:\n  - id: chat\n    env: {HF_TOKEN: secret-1}\n";
    const auto read = load_file_text(text);
    EXPECT_THAT(read.errors, IsEmpty());
    ASSERT_EQ(read.sections.size(), 1U);
    EXPECT_EQ(read.sections[0].key, "pools");
    EXPECT_EQ(read.sections[0].path, path);
    EXPECT_EQ(read.sections[0].line, 2);
    EXPECT_EQ(read.sections[0].file_text, text);
    EXPECT_THAT(read.sections[0].redacted_yaml, HasSubstr("id: chat"));
    EXPECT_THAT(read.sections[0].redacted_yaml, HasSubstr("HF_TOKEN: (hidden)"));
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

TEST_F(SettingsFile, TakesBackWhatPrintConfigPrints) {
    const auto read = load_file_text(
        "pools:\n  - id: chat\n    env: {HF_TOKEN: secret-1}\n",
        {"--node-timeout-ms=250",
         "--api-token=secret-secret-secret",
         "--auth-optional",
         "--pool-managers=http://a:1,http://b:2",
         "--state-dir",
         "/tmp/a \"b\" \\c: #d"},
        {{"ORCHD_ADDR", "[::1]:0"}}
    );
    ASSERT_THAT(read.errors, IsEmpty());
    const std::string printed = print_config(read);
    EXPECT_THAT(
        printed,
        HasSubstr("# ORCHESTRATORD_NODE_TIMEOUT_SECS [milliseconds]; flag --node-timeout-ms\n"
                  "node_timeout_ms: 250\n")
    );
    EXPECT_THAT(
        printed,
        HasSubstr("# ORCHESTRATORD_ADDR [host:port]; environment ORCHD_ADDR\n"
                  "addr: \"[::1]:0\"\n")
    );
    EXPECT_THAT(
        printed,
        HasSubstr("# ORCHD_ADMISSION_CAPACITY [requests]; default\n"
                  "admission_capacity: 100\n")
    );
    EXPECT_THAT(printed, HasSubstr("require_auth: false\n"));
    EXPECT_THAT(printed, HasSubstr("# api_token: (set, not shown)\n"));
    EXPECT_THAT(printed, HasSubstr("# pool_managerd_url:\n"));
    EXPECT_THAT(printed, Not(HasSubstr("secret-")));

    const auto again = load_file_text(printed);
    EXPECT_THAT(again.errors, IsEmpty()) << printed;
    EXPECT_THAT(changed_settings(read.settings, again.settings), ElementsAre(kToken)) << printed;
    ASSERT_EQ(again.sections.size(), 1U);
    EXPECT_THAT(again.sections[0].redacted_yaml, HasSubstr("id: chat"));
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

struct Exit {
    std::optional<int> code;
    std::string out;
    std::string err;
};

Exit exit_of(const SettingsRead& read) {
    std::ostringstream out;
    std::ostringstream err;
    const auto code = settings_exit(make_table(), read, out, err);
    return {code, out.str(), err.str()};
}

TEST(SettingsExit, LetsAProgramRunWhenAllIsWell) {
    const Exit result = exit_of(load({}));
    EXPECT_FALSE(result.code);
    EXPECT_EQ(result.out + result.err, "");
}

TEST(SettingsExit, IsTwoWithEveryErrorTheCallersIncluded) {
    auto read = load({"--nonsense", "--addr"});
    read.errors.emplace_back("the caller's own rule");
    const Exit result = exit_of(read);
    EXPECT_EQ(result.code, 2);
    EXPECT_THAT(result.err, HasSubstr("orchestratord: --nonsense is not a flag"));
    EXPECT_THAT(result.err, HasSubstr("orchestratord: --addr needs a value\n"));
    EXPECT_THAT(result.err, HasSubstr("orchestratord: the caller's own rule\n"));
}

TEST(SettingsExit, ChecksAndPrintsWithoutRunning) {
    EXPECT_EQ(exit_of(load({"--check-config"})).code, 0);
    EXPECT_EQ(exit_of(load({"--check-config", "--addr=x"})).code, 2);
    const Exit printed = exit_of(load({"--print-config"}));
    EXPECT_EQ(printed.code, 0);
    EXPECT_THAT(printed.out, HasSubstr("node_timeout_secs: 30\n"));
    EXPECT_EQ(exit_of(load({"--print-config", "--addr=x"})).code, 2);
    const Exit warned = exit_of(load({"--check-config"}, {{"AUTH_TOKEN", "0123456789abcdef"}}));
    EXPECT_THAT(warned.err, HasSubstr("old name"));
}

TEST(SettingsExit, HelpsEvenWithErrors) {
    const Exit help = exit_of(load({"--help", "--nonsense"}));
    EXPECT_EQ(help.code, 0);
    EXPECT_THAT(
        help.out,
        HasSubstr("  --node-timeout-secs SECONDS\n"
                  "      Silence after which a node is offline. "
                  "(ORCHESTRATORD_NODE_TIMEOUT_SECS; default 30 seconds; live)\n")
    );
    EXPECT_THAT(help.out, HasSubstr("(ORCHESTRATORD_ADDR; default: 127.0.0.1:8080)"));
    EXPECT_THAT(help.out, HasSubstr("auto | random"));
    EXPECT_THAT(help.out, HasSubstr("  --model PATH\n      A model to serve.\n"));
    EXPECT_THAT(help.out, HasSubstr("pools: (in the file only)"));
    EXPECT_EQ(exit_of(load({"--version"})).out, "orchestratord 0.2.0\n");
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
}  // namespace orch
