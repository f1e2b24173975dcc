#include "apps/llorch/task_stream.hpp"

#include <gtest/gtest.h>

namespace orch::llorch {
namespace {

constexpr std::string_view kTokens =
    "id: 1\nevent: queued\ndata: {\"queue_position\":0,\"predicted_start_ms\":null}\n\n"
    "id: 2\nevent: started\ndata: {\"node_id\":\"n\"}\n\n:\n\n"
    "id: 3\nevent: token\ndata: {\"t\":\"a\",\"i\":0,\"kind\":\"text\"}\n\n"
    "id: 4\nevent: token\ndata: {\"t\":\"hm\",\"i\":1,\"kind\":\"reasoning\"}\n\n"
    "id: 5\nevent: token\ndata: {\"t\":\"b\",\"i\":2,\"kind\":\"text\"}\n\n";

TEST(TaskStream, PrintsAnswerTokensInAnySplit) {
    const std::string all =
        std::string(kTokens) + "id: 6\nevent: end\ndata: {\"tokens_out\":3}\n\n";
    for (std::size_t cut = 0; cut <= all.size(); ++cut) {
        TaskStream stream;
        std::string text = stream.feed(std::string_view(all).substr(0, cut));
        text += stream.feed(std::string_view(all).substr(cut));
        ASSERT_EQ(text, "ab");
        ASSERT_FALSE(stream.end());
    }
}

TEST(TaskStream, AnErrorAndACancellationAreFailures) {
    TaskStream failed;
    failed.feed("event: error\ndata: {\"code\":\"WORKER_RESET\",\"message\":\"it died\"}\n\n");
    ASSERT_TRUE(failed.end());
    EXPECT_EQ(failed.end()->text, "WORKER_RESET: it died");
    TaskStream canceled;
    canceled.feed("event: end\ndata: {\"tokens_out\":1,\"canceled\":true}\n\n");
    ASSERT_TRUE(canceled.end());
    EXPECT_EQ(canceled.end()->code, ExitCode::refused);
}

TEST(TaskStream, AStreamWithoutAnEndIsBroken) {
    TaskStream stream;
    EXPECT_EQ(stream.feed(kTokens), "ab");
    EXPECT_TRUE(stream.end());
}

TEST(TaskStream, AResultIsPrintedAsItIs) {
    TaskStream stream;
    EXPECT_EQ(stream.feed("event: result\ndata: {\"data\":[1]}\n\n"), R"({"data":[1]})");
}

}  // namespace
}  // namespace orch::llorch
