#include "node/supervisor/child_log.hpp"

#include "node/supervisor/scratch_folder.hpp"

#include <gtest/gtest.h>

namespace orch::node::supervisor {
namespace {

using ChildLog = ScratchFolder;

const PoolId kPool("chat");
const ReplicaId kReplica("r0");

TEST_F(ChildLog, CountsUpAndKeepsTheLastFive) {
    for (int n = 1; n <= 7; ++n) {
        const auto path = next_log(folder, kPool, kReplica);
        ASSERT_TRUE(path.has_value()) << path.error().message;
        EXPECT_EQ(*path, (folder / ("chat-r0-" + std::to_string(n) + ".log")).string());
        write("chat-r0-" + std::to_string(n) + ".log", "text");
    }
    EXPECT_FALSE(exists("chat-r0-2.log"));
    EXPECT_TRUE(exists("chat-r0-3.log"));
}

TEST_F(ChildLog, LeavesTheLogsOfOthersAlone) {
    write("chat-r0-r0-9.log", "of pool chat-r0");
    write("chat-r1-9.log", "of another replica");
    EXPECT_EQ(next_log(folder, kPool, kReplica), (folder / "chat-r0-1.log").string());
}

TEST_F(ChildLog, AMissingFolderIsAnErrorThatNamesIt) {
    const auto path = next_log(folder / "absent", kPool, kReplica);
    ASSERT_FALSE(path.has_value());
    EXPECT_NE(path.error().message.find("absent"), std::string::npos);
}

TEST_F(ChildLog, ReadsTheEndOfAFileAsText) {
    EXPECT_EQ(load_log_tail(write("a.log", "0123456789"), 4), "6789");
    EXPECT_EQ(load_log_tail(write("b.log", "\xff\n"), 4), "\xEF\xBF\xBD\n");
    EXPECT_EQ(load_log_tail((folder / "absent.log").string(), 4), "");
}

TEST_F(ChildLog, ATrimmedLogLeavesACopyAndAnEmptyFile) {
    const std::string path = write("a.log", "0123456789");
    trim_log(path, 10);
    EXPECT_EQ(read(path), "0123456789");
    trim_log(path, 9);
    EXPECT_EQ(read(path), "");
    EXPECT_EQ(read(path + ".1"), "0123456789");
}

TEST(LastLines, KeepsSoManyLines) {
    EXPECT_EQ(last_lines("a\nb\nc\n", 2, 100), "b\nc");
    EXPECT_EQ(last_lines("a\nb\nc", 3, 100), "a\nb\nc");
    EXPECT_EQ(last_lines("a\nb\nc", 9, 100), "a\nb\nc");
    EXPECT_EQ(last_lines("", 9, 100), "");
    EXPECT_EQ(last_lines("\n\n", 9, 100), "");
}

TEST(LastLines, CutsAtALineThatFitsTheBytes) {
    EXPECT_EQ(last_lines("first\nsecond\nthird", 9, 12), "second\nthird");
    EXPECT_EQ(last_lines("first\nsecond\nthird", 9, 11), "third");
}

TEST(LastLines, CutsALineThatIsTooLongByItself) {
    EXPECT_EQ(last_lines("first\nsecond", 9, 3), "ond");
}

}  // namespace
}  // namespace orch::node::supervisor
