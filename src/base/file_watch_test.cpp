#include "base/file_watch.hpp"

#include "base/replace_file.hpp"

#include <gtest/gtest.h>

#include <filesystem>

namespace orch {
namespace {

FileStamps stamp(std::int64_t size) {
    return {FileStamp{.modified_ns = 1, .size = size}};
}

TEST(FileWatch, TakesAChangeWhenTwoLooksSawTheSame) {
    FileWatch watch(stamp(10));
    EXPECT_FALSE(watch.look(stamp(10)));
    EXPECT_FALSE(watch.look(stamp(20)));
    EXPECT_TRUE(watch.look(stamp(20)));
    EXPECT_FALSE(watch.look(stamp(20)));
}

TEST(FileWatch, WaitsWhileAFileStillGrows) {
    FileWatch watch(stamp(10));
    EXPECT_FALSE(watch.look(stamp(3)));
    EXPECT_FALSE(watch.look(stamp(6)));
    EXPECT_FALSE(watch.look(stamp(9)));
    EXPECT_TRUE(watch.look(stamp(9)));
}

TEST(FileWatch, ForgetsAChangeThatWasTakenBack) {
    FileWatch watch(stamp(10));
    EXPECT_FALSE(watch.look(stamp(3)));
    EXPECT_FALSE(watch.look(stamp(10)));
    EXPECT_FALSE(watch.look(stamp(3)));
    EXPECT_TRUE(watch.look(stamp(3)));
}

TEST(FileWatch, LeavesAloneWhatWasReadForAnotherReason) {
    FileWatch watch(stamp(10));
    EXPECT_FALSE(watch.look(stamp(20)));
    watch.taken(stamp(20));
    EXPECT_FALSE(watch.look(stamp(20)));
}

TEST(FileStamp, ChangesWithContentReplacementAndRemoval) {
    const std::string path = testing::TempDir() + "/file_watch_test.stamp";
    const auto now = [&] { return load_file_stamps({path}).front(); };
    ASSERT_TRUE(replace_file(path, "one"));
    const FileStamp first = now();
    EXPECT_EQ(first, now());
    ASSERT_TRUE(replace_file(path, "two"));
    const FileStamp second = now();
    EXPECT_NE(first, second);
    std::filesystem::remove(path);
    EXPECT_EQ(now(), FileStamp{});
}

}  // namespace
}  // namespace orch
