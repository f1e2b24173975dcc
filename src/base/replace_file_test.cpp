#include "base/replace_file.hpp"

#include "base/file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace orch {
namespace {

namespace fs = std::filesystem;

class ReplaceFile : public testing::Test {
public:
    ReplaceFile() { fs::create_directory(folder); }

    ~ReplaceFile() override { fs::remove_all(folder); }

    std::vector<std::string> names() const {
        std::vector<std::string> found;
        for (const auto& entry : fs::directory_iterator(folder)) {
            found.push_back(entry.path().filename());
        }
        return found;
    }

    std::string folder = testing::TempDir() + std::to_string(getpid()) + "-replace_file_test";
    std::string path = folder + "/state.json";
};

TEST_F(ReplaceFile, WritesEveryByteAndLeavesNothingElse) {
    const std::string content = std::string("a\0b\n", 4) + std::string(300'000, 'x');
    ASSERT_TRUE(replace_file(path, content));
    EXPECT_EQ(load_file(path), content);
    EXPECT_THAT(names(), testing::ElementsAre("state.json"));
}

TEST_F(ReplaceFile, TakesTheOldFilesPlaceAsAnotherFile) {
    ASSERT_TRUE(replace_file(path, "old"));
    std::ifstream reader(path);
    ASSERT_TRUE(replace_file(path, "new"));
    std::string seen;
    reader >> seen;
    EXPECT_EQ(seen, "old");
    EXPECT_EQ(load_file(path), "new");
}

TEST_F(ReplaceFile, IsPrivateUnlessAskedOtherwise) {
    ASSERT_TRUE(replace_file(path, "secret"));
    EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_read | fs::perms::owner_write);
    ASSERT_TRUE(replace_file(path, "public", 0644));
    EXPECT_NE(fs::status(path).permissions() & fs::perms::others_read, fs::perms::none);
}

TEST_F(ReplaceFile, NamesThePathItCannotWrite) {
    const auto missing = replace_file(folder + "/none/state.json", "x");
    ASSERT_FALSE(missing);
    EXPECT_EQ(
        missing.error().message,
        folder + "/none/state.json: cannot be written: No such file or directory"
    );
}

TEST_F(ReplaceFile, LeavesTheOldStateWhenItFails) {
    fs::create_directory(path);
    std::ofstream(path + "/inside") << "x";
    ASSERT_FALSE(replace_file(path, "new"));
    EXPECT_THAT(names(), testing::ElementsAre("state.json"));
    EXPECT_TRUE(fs::exists(path + "/inside"));
}

}  // namespace
}  // namespace orch
