#include "node/provision/find_engine.hpp"

#include <gtest/gtest.h>

#include <set>

namespace orch::node::provision {
namespace {

constexpr const char* kOnPath = "/usr/local/bin/llama-server";
constexpr const char* kInTree = "/src/build/venv/bin/llorch-llama-server";

EngineSearch search() {
    return {
        .setting = std::nullopt,
        .setting_name = "POOL_MANAGERD_ENGINE_BINARY",
        .path = "/usr/bin:/usr/local/bin",
        .program_folder = "/src/build/dev/bin"
    };
}

Result<FoundEngine> find(const EngineSearch& where, std::set<std::string> executables) {
    return find_engine(where, [&](const std::string& path) { return executables.contains(path); });
}

TEST(FindEngine, PrefersWhatTheOperatorChose) {
    EngineSearch where = search();
    where.setting = "/opt/llama/llama-server";
    const auto found = find(where, {"/opt/llama/llama-server", kOnPath, kInTree});
    ASSERT_TRUE(found);
    EXPECT_EQ(found->binary, "/opt/llama/llama-server");
    EXPECT_EQ(found->reason, "engine /opt/llama/llama-server: set by POOL_MANAGERD_ENGINE_BINARY");
}

TEST(FindEngine, LooksUpAChosenNameOnPath) {
    EngineSearch where = search();
    where.setting = "my-server";
    EXPECT_EQ(find(where, {"/usr/local/bin/my-server"})->binary, "/usr/local/bin/my-server");
}

TEST(FindEngine, NeverReplacesAChoiceThatIsWrong) {
    EngineSearch where = search();
    where.setting_name = "LLAMA_SERVER";
    where.setting = "/opt/typo";
    const auto found = find(where, {kOnPath, kInTree});
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, Errc::not_found);
    EXPECT_EQ(found.error().message, "LLAMA_SERVER: '/opt/typo' is no executable file");
    where.setting = "typo";
    EXPECT_EQ(
        find(where, {kOnPath}).error().message, "LLAMA_SERVER: 'typo' is no executable file on PATH"
    );
}

TEST(FindEngine, TakesTheFirstOnPath) {
    const auto found = find(search(), {kOnPath, "/usr/bin/llama-server", kInTree});
    EXPECT_EQ(found->binary, "/usr/bin/llama-server");
    EXPECT_EQ(found->reason, "engine /usr/bin/llama-server: found on PATH");
}

TEST(FindEngine, IgnoresFoldersThatDependOnWhereItWasStarted) {
    EngineSearch where = search();
    where.path = ":.:bin:/usr/local/bin";
    EXPECT_FALSE(find(where, {"/llama-server", "./llama-server", "bin/llama-server"}));
    EXPECT_TRUE(find(where, {kOnPath}));
}

TEST(FindEngine, FallsBackToTheLauncherOfItsOwnTreeAndSaysWhy) {
    const auto found = find(search(), {kInTree});
    ASSERT_TRUE(found);
    EXPECT_EQ(found->binary, kInTree);
    EXPECT_NE(found->reason.find("because no llama-server is set or on PATH"), std::string::npos);
}

TEST(FindEngine, AnInstalledDaemonHasNoLauncher) {
    EngineSearch where = search();
    where.program_folder = "/usr/bin";
    EXPECT_FALSE(find(where, {kInTree}));
    where.program_folder = "";
    EXPECT_FALSE(find(where, {kInTree}));
}

TEST(FindEngine, SaysWhatToDoWhenThereIsNone) {
    const auto found = find(search(), {"/src/build/dev/bin/engine-sim", "/usr/bin/engine-sim"});
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, Errc::not_found);
    EXPECT_EQ(
        found.error().message,
        "no engine: put llama.cpp's llama-server on PATH, or set POOL_MANAGERD_ENGINE_BINARY to it"
    );
    EngineSearch empty = search();
    empty.setting = "";
    EXPECT_FALSE(find(empty, {}));
}

}  // namespace
}  // namespace orch::node::provision
