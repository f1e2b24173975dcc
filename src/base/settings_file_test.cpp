#include "base/settings_test_table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace orch::settings_test {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

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

TEST_F(SettingsFile, RefusesASectionThatRefersToItselfOrMultiplies) {
    const auto complaint = [&](int line) {
        return at(line) + ": pools is too deep, too large or refers to itself";
    };
    EXPECT_THAT(load_file_text("pools: &a [*a]\n").errors, ElementsAre(complaint(1)));
    EXPECT_THAT(load_file_text("pools: &a {x: {y: *a}}\n").errors, ElementsAre(complaint(1)));
    std::string bomb = "pools:\n  - &a0 [x, x]\n";
    for (int i = 1; i < 30; ++i) {
        const std::string below = "*a" + std::to_string(i - 1);
        bomb += "  - &a" + std::to_string(i) + " [" + below + ", " + below + "]\n";
    }
    EXPECT_THAT(load_file_text(bomb).errors, ElementsAre(complaint(1)));
}

}  // namespace
}  // namespace orch::settings_test
