#include "audit/audit_log.hpp"

#include "audit/chain.hpp"
#include "base/clock_fake.hpp"
#include "base/file.hpp"
#include "base/log_capture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace orch::audit {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct AuditLogTest : testing::Test {
    ~AuditLogTest() override { std::filesystem::remove_all(folder); }

    // Writes the events in one run of a program.
    void run_with(const std::vector<std::string>& events) {
        AuditLog audit(folder, clock, Logger(sink, "audit"));
        ASSERT_TRUE(audit.open());
        for (const std::string& name : events) {
            audit.write({name, "localhost", "", "success", {}});
        }
    }

    std::string only_file() const {
        const auto files = list_files(folder);
        return files && files->size() == 1 ? files->front() : "";
    }

    std::string folder = testing::TempDir() + "/orch_audit_" + std::to_string(getpid()) + "/audit";
    FakeClock clock;
    CapturedLog log;
    LogSink sink{LogConfig{}, clock, log};
};

TEST_F(AuditLogTest, WritesAChainThatAStartContinues) {
    run_with({"a", "b"});
    run_with({"c"});
    const auto chain = load_chain(folder);
    ASSERT_TRUE(chain);
    EXPECT_TRUE(chain->sound());
    EXPECT_EQ(chain->records(), 3U);
    using std::filesystem::perms;
    const perms mode = std::filesystem::status(only_file()).permissions();
    EXPECT_EQ(mode & (perms::group_all | perms::others_all), perms::none);
}

TEST_F(AuditLogTest, CutsOffWhatACrashLeftOfALine) {
    run_with({"a", "b"});
    const std::string before = *load_file(only_file());
    std::ofstream(only_file(), std::ios::app) << R"({"ts":"2026-)";
    run_with({"c"});
    const std::string after = *load_file(only_file());
    EXPECT_THAT(after, testing::StartsWith(before));
    EXPECT_THAT(after, HasSubstr(R"("event":"audit_recovered")"));
    EXPECT_THAT(after, HasSubstr(R"("bytes_cut_off":"12")"));
    const auto chain = load_chain(folder);
    EXPECT_TRUE(chain->sound());
    EXPECT_EQ(chain->records(), 4U);
}

TEST_F(AuditLogTest, DoesNotHideThatTheLastLineWasChanged) {
    run_with({"a"});
    std::string text = *load_file(only_file());
    text.replace(text.find("localhost"), 9, "nobody---");
    std::ofstream(only_file(), std::ios::trunc) << text;
    run_with({"b"});
    EXPECT_FALSE(load_chain(folder)->sound());
}

TEST_F(AuditLogTest, CountsWhatItCouldNotKeep) {
    {
        AuditLog audit(folder, clock, Logger(sink, "audit"));
        for (std::size_t i = 0; i < AuditLog::kMostWaiting + 7; ++i) {
            audit.write({"flood", "localhost", "", "success", {}});
        }
        ASSERT_TRUE(audit.open());
    }
    const std::string text = *load_file(only_file());
    EXPECT_THAT(text, HasSubstr(R"("event":"audit_dropped")"));
    EXPECT_THAT(text, HasSubstr(R"("events":"7")"));
    EXPECT_TRUE(load_chain(folder)->sound());
}

TEST_F(AuditLogTest, NamesAFolderThatCannotBe) {
    std::filesystem::create_directories(std::filesystem::path(folder).parent_path());
    std::ofstream(folder) << "a file";
    AuditLog audit(folder, clock, Logger(sink, "audit"));
    const auto opened = audit.open();
    ASSERT_FALSE(opened);
    EXPECT_THAT(opened.error().message, HasSubstr(folder));
}

}  // namespace
}  // namespace orch::audit
