#include "async/child_process.hpp"

#include "async/task_group.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <sstream>

namespace orch::async {
namespace {

struct ChildFixture : testing::Test {
    std::filesystem::path folder;
    asio::io_context context;

    void SetUp() override {
        std::string name = (std::filesystem::temp_directory_path() / "orch-child-XXXXXX").string();
        folder = mkdtemp(name.data());
    }

    void TearDown() override { std::filesystem::remove_all(folder); }

    ChildSpec shell(const std::string& script) const {
        return {
            .argv = {"/bin/sh", "-c", script},
            .environment = {{"GREETING", "hello"}},
            .output = folder / "log"
        };
    }

    std::string log() const {
        std::ifstream file(folder / "log");
        std::stringstream text;
        text << file.rdbuf();
        return text.str();
    }
};

Task<void> await_exit(ChildProcess& child, ChildExit& exit) {
    exit = co_await child.wait();
}

Task<void> kill_and_await(ChildProcess& child, ChildExit& exit) {
    child.signal(SIGKILL);
    exit = co_await child.wait();
}

TEST_F(ChildFixture, ReportsTheExitCodeAndAppendsOutputToItsFile) {
    auto child =
        ChildProcess::start(context.get_executor(), shell("echo out; echo err >&2; exit 7"));
    ASSERT_TRUE(child.has_value()) << child.error().message;
    ChildExit exit;
    TaskGroup group(context.get_executor(), nullptr);
    group.spawn(await_exit(*child, exit));
    context.run();
    EXPECT_EQ(exit.text(), "exit code 7");
    EXPECT_EQ(log(), "out\nerr\n");
}

TEST_F(ChildFixture, InheritsNothingOfTheEnvironment) {
    setenv("ORCH_SECRET_OF_PARENT", "leaked", 1);
    auto child =
        ChildProcess::start(context.get_executor(), shell("echo $GREETING:$ORCH_SECRET_OF_PARENT"));
    ASSERT_TRUE(child.has_value());
    ChildExit exit;
    TaskGroup group(context.get_executor(), nullptr);
    group.spawn(await_exit(*child, exit));
    context.run();
    EXPECT_EQ(log(), "hello:\n");
}

TEST_F(ChildFixture, InheritsNoOpenFile) {
    const int inheritable = fcntl(STDERR_FILENO, F_DUPFD, 100);
    ASSERT_GE(inheritable, 100);
    const std::string path = "/proc/$$/fd/" + std::to_string(inheritable);
    auto child = ChildProcess::start(
        context.get_executor(), shell("[ -e " + path + " ] && echo open || echo closed")
    );
    ASSERT_TRUE(child.has_value());
    ChildExit exit;
    TaskGroup group(context.get_executor(), nullptr);
    group.spawn(await_exit(*child, exit));
    context.run();
    close(inheritable);
    EXPECT_EQ(log(), "closed\n");
}

TEST_F(ChildFixture, NamesTheSignalThatEndedIt) {
    auto child = ChildProcess::start(context.get_executor(), shell("exec sleep 600"));
    ASSERT_TRUE(child.has_value());
    EXPECT_EQ(getpgid(child->pid()), child->pid());
    ChildExit exit;
    TaskGroup group(context.get_executor(), nullptr);
    group.spawn(kill_and_await(*child, exit));
    context.run();
    EXPECT_EQ(exit.signal, SIGKILL);
    EXPECT_EQ(exit.text(), "signal 9 (Killed)");
    EXPECT_FALSE(child->signal(SIGTERM));
}

TEST_F(ChildFixture, AMissingProgramIsAnErrorThatNamesIt) {
    ChildSpec spec = shell("");
    spec.argv = {"/nonexistent/llama-server"};
    const auto child = ChildProcess::start(context.get_executor(), spec);
    ASSERT_FALSE(child.has_value());
    EXPECT_EQ(
        child.error().message,
        "cannot start /nonexistent/llama-server: execute: No such file or directory"
    );
}

}  // namespace
}  // namespace orch::async
