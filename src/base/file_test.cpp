#include "base/file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace orch {
namespace {

using testing::HasSubstr;

class LoadFile : public testing::Test {
protected:
    std::string path = testing::TempDir() + std::to_string(getpid()) + "-load_file_test.txt";

    void write(const std::string& text) const { std::ofstream(path, std::ios::binary) << text; }

    ~LoadFile() override { std::filesystem::remove(path); }
};

TEST_F(LoadFile, GivesEveryByte) {
    const std::string text = std::string("a\0b\r\n", 5) + std::string(100'000, 'x');
    write(text);
    EXPECT_EQ(load_file(path), text);
    write("");
    EXPECT_EQ(load_file(path), "");
}

TEST_F(LoadFile, NamesAFileThatIsNotThere) {
    const auto text = load_file(path);
    ASSERT_FALSE(text);
    EXPECT_EQ(text.error().code, Errc::not_found);
    EXPECT_EQ(text.error().message, path + ": cannot be read: No such file or directory");
}

TEST_F(LoadFile, RefusesAFolder) {
    const auto text = load_file(testing::TempDir());
    ASSERT_FALSE(text);
    EXPECT_THAT(text.error().message, HasSubstr("Is a directory"));
}

TEST_F(LoadFile, RefusesWhatIsBeyondTheLimit) {
    write("12345");
    EXPECT_TRUE(load_file(path, 5));
    EXPECT_EQ(load_file(path, 4).error().code, Errc::payload_too_large);
}

}  // namespace
}  // namespace orch
