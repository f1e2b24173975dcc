#include "node/handoff/handoff_memory.hpp"

#include <gtest/gtest.h>

namespace orch::node::handoff {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kGood =
    R"({"pool_id":"chat","replica_id":"r0","engine":"llamacpp","url":"http://127.0.0.1:9001"})";
constexpr std::string_view kName = "chat-r0.json";
constexpr FileStamp kFirst{.mtime_ns = 1, .size = 90, .inode = 7};
constexpr FileStamp kSecond{.mtime_ns = 2, .size = 90, .inode = 7};

template <class Verdict>
bool is(const HandoffVerdict& verdict) {
    return std::holds_alternative<Verdict>(verdict);
}

TEST(HandoffName, IsAVisibleJsonFile) {
    EXPECT_TRUE(is_handoff_name("chat-r0.json"));
    EXPECT_FALSE(is_handoff_name("chat-r0.json.rejected"));
    EXPECT_FALSE(is_handoff_name(".chat-r0.json"));
    EXPECT_FALSE(is_handoff_name(".json"));
    EXPECT_FALSE(is_handoff_name("chat-r0.jsonl"));
    EXPECT_FALSE(is_handoff_name(""));
}

TEST(HandoffMemory, TakesAFileInOnce) {
    HandoffMemory memory;
    EXPECT_TRUE(memory.is_news(kName, kFirst));
    const HandoffVerdict verdict = memory.judge(kName, kFirst, 0s, kGood);
    ASSERT_TRUE(is<TakeIn>(verdict));
    EXPECT_EQ(std::get<TakeIn>(verdict).file.url, "http://127.0.0.1:9001");
    EXPECT_FALSE(memory.is_news(kName, kFirst));
}

TEST(HandoffMemory, CountsARewrittenFileAgain) {
    HandoffMemory memory;
    memory.judge(kName, kFirst, 5s, kGood);
    EXPECT_TRUE(memory.is_news(kName, kSecond));
    EXPECT_TRUE(memory.is_news(kName, {.mtime_ns = 1, .size = 91, .inode = 7}));
    EXPECT_TRUE(memory.is_news(kName, {.mtime_ns = 1, .size = 90, .inode = 8}));
    EXPECT_TRUE(is<TakeIn>(memory.judge(kName, kSecond, 0s, kGood)));
}

TEST(HandoffMemory, CountsAFileThatCameBackAgain) {
    HandoffMemory memory;
    memory.judge(kName, kFirst, 5s, kGood);
    memory.judge("other.json", kFirst, 5s, kGood);
    memory.retain({"other.json"});
    EXPECT_TRUE(memory.is_news(kName, kFirst));
    EXPECT_FALSE(memory.is_news("other.json", kFirst));
}

TEST(HandoffMemory, SetsAMalformedFileAsideWithItsReason) {
    HandoffMemory memory;
    const HandoffVerdict verdict =
        memory.judge(kName, kFirst, 5s, R"({"pool_id":"chat","engine":"llamacpp"})");
    ASSERT_TRUE(is<SetAside>(verdict));
    EXPECT_EQ(std::get<SetAside>(verdict).new_name, "chat-r0.json.rejected");
    EXPECT_NE(std::get<SetAside>(verdict).reason.find("replica_id"), std::string::npos);
    EXPECT_FALSE(memory.is_news(kName, kFirst)) << "reported once, even if it cannot be renamed";
    EXPECT_TRUE(memory.is_news(kName, kSecond)) << "retried when it changes";
}

TEST(HandoffMemory, GivesAWriterTimeToFinish) {
    HandoffMemory memory;
    const std::string_view half = kGood.substr(0, 40);
    EXPECT_TRUE(is<WaitForWriter>(memory.judge(kName, kFirst, 0s, half)));
    EXPECT_TRUE(is<WaitForWriter>(memory.judge(kName, kFirst, 999ms, half)));
    EXPECT_TRUE(memory.is_news(kName, kFirst));
    EXPECT_TRUE(is<TakeIn>(memory.judge(kName, kSecond, 0s, kGood)));
}

TEST(HandoffMemory, WaitsNoLongerThanThat) {
    HandoffMemory memory;
    EXPECT_TRUE(is<SetAside>(memory.judge(kName, kFirst, 1s, "")));
    // A clock that was set back must not keep a file for ever.
    EXPECT_TRUE(is<SetAside>(memory.judge(kName, kSecond, -1h, "{")));
}

TEST(HandoffMemory, IgnoresOtherSchemasOnce) {
    HandoffMemory memory;
    const HandoffVerdict verdict =
        memory.judge("llamacpp.json", kFirst, 0s, R"({"model":{"id":"x"},"metadata":{}})");
    EXPECT_TRUE(is<IgnoreOtherSchema>(verdict));
    EXPECT_FALSE(memory.is_news("llamacpp.json", kFirst));
    EXPECT_TRUE(is<IgnoreOtherSchema>(memory.judge("list.json", kFirst, 0s, "[1,2]")));
}

TEST(HandoffMemory, DoesNotReadAnUnreadableFileTwice) {
    HandoffMemory memory;
    memory.note(kName, kFirst);
    EXPECT_FALSE(memory.is_news(kName, kFirst));
    EXPECT_TRUE(memory.is_news(kName, kSecond));
}

}  // namespace
}  // namespace orch::node::handoff
