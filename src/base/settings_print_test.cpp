#include "base/settings_test_table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace orch::settings_test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

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

}  // namespace
}  // namespace orch::settings_test
