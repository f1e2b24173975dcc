#include "apps/llorch/own_address.hpp"
#include "apps/llorch/token_file.hpp"
#include "apps/llorch/token_text.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace orch::llorch {
namespace {

std::string content(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

TEST(TokenText, GivesTheCommandsThatMakeACluster) {
    EXPECT_EQ(
        token_text({"/etc/llorch.token", {"10.0.0.5", 8080}}, "abc"),
        R"(The cluster token, also in /etc/llorch.token:

  abc

Start the control plane on this machine:

  orchestratord --addr 0.0.0.0:8080 --api-token-file /etc/llorch.token

Join the next machine: there, paste the token into a file (end with Ctrl-D) and start
the node:

  (umask 077; cat > llorch.token)
  pool-managerd --orchestratord-url http://10.0.0.5:8080 --api-token-file llorch.token --model FILE.gguf

Use the cluster:

  export LLORCH_URL=http://10.0.0.5:8080 LLORCH_API_TOKEN_FILE=/etc/llorch.token
  llorch nodes
)"
    );
}

TEST(TokenText, HidesTheTokenWhereItMayNotBeShown) {
    const std::string text = token_text({"/f", {"h", 80}}, "");
    EXPECT_TRUE(text.starts_with("The cluster token is in /f\n\nStart")) << text;
}

TEST(TokenText, NamesTheProfileOfALoopbackControlPlane) {
    const std::string text = token_text({"/f", {"127.0.0.1", 9000}}, "");
    EXPECT_NE(
        text.find("orchestratord --addr 127.0.0.1:9000 --cloud-profile true --api-token-file /f\n"),
        std::string::npos
    ) << text;
}

TEST(TokenText, QuotesAPathForTheShell) {
    EXPECT_EQ(shell_word("/a/b-c.d"), "/a/b-c.d");
    EXPECT_EQ(shell_word("/a b/it's"), "'/a b/it'\\''s'");
    EXPECT_EQ(shell_word(""), "''");
}

TEST(TokenFile, IsForItsOwnerOnlyAndNeverOverwritten) {
    const std::string path =
        testing::TempDir() + std::to_string(getpid()) + "-llorch_token_test.token";
    std::filesystem::remove(path);
    const mode_t before = umask(0);
    const auto created = create_token_file(path, "the-token");
    umask(before);
    ASSERT_TRUE(created) << created.error().text;
    EXPECT_EQ(content(path), "the-token\n");
    struct stat found{};
    ASSERT_EQ(stat(path.c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777U, 0600U);

    const auto again = create_token_file(path, "another");
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, ExitCode::usage);
    EXPECT_NE(again.error().text.find(path), std::string::npos);
    EXPECT_EQ(content(path), "the-token\n");
    std::filesystem::remove(path);
}

TEST(TokenFile, NamesAFolderThatIsNotThere) {
    const auto created = create_token_file("/does/not/exist/token", "x");
    ASSERT_FALSE(created);
    EXPECT_EQ(
        created.error().text, "--out: cannot write /does/not/exist/token: No such file or directory"
    );
}

TEST(OwnAddress, FollowsTheDefaultRouteOfTheLowestMetric) {
    const std::string_view routes =
        "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
        "docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
        "wlan0\t00000000\t0100000A\t0003\t0\t0\t600\t00000000\t0\t0\t0\n"
        "eth0\t00000000\t0100000A\t0003\t0\t0\t100\t00000000\t0\t0\t0\n";
    EXPECT_EQ(default_interface(routes), "eth0");
    EXPECT_EQ(default_interface("Iface\tDestination\n"), std::nullopt);
}

}  // namespace
}  // namespace orch::llorch
