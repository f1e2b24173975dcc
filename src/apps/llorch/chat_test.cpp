#include "apps/llorch/chat.hpp"

#include <gtest/gtest.h>

namespace orch::llorch {
namespace {

constexpr std::string_view kStream =
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":null}}]}\n\n"
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\" r\u00e9d\"}}]}\n\n"
    ": ping\n\n"
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\" net\"}}]}\r\n\r\n"
    "data: {\"choices\":[{\"finish_reason\":\"stop\",\"delta\":{}}]}\n\n"
    "data: {\"choices\":[],\"usage\":{\"completion_tokens\":2}}\n\n"
    "data: [DONE]\n\n";

TEST(ChatRequest, SendsOnlyWhatIsGiven) {
    EXPECT_EQ(
        to_json(ChatRequest{"tiny", "hi", {}, {}, {}}),
        R"({"model":"tiny","messages":[{"role":"user","content":"hi"}],"stream":true})"
    );
}

TEST(ChatRequest, PutsTheSystemMessageFirst) {
    const ChatRequest request{"tiny", "hi", "be brief", 7, 0.5, false};
    EXPECT_EQ(
        to_json(request),
        R"({"model":"tiny","messages":[{"role":"system","content":"be brief"},)"
        R"({"role":"user","content":"hi"}],"stream":false,"max_tokens":7,"temperature":5E-1})"
    );
}

TEST(ChatStream, YieldsTheTextInWhateverPiecesItComes) {
    for (std::size_t size = 1; size < kStream.size(); ++size) {
        ChatStream stream;
        std::string text;
        for (std::size_t at = 0; at < kStream.size(); at += size) {
            text += stream.feed(kStream.substr(at, size));
        }
        EXPECT_EQ(text, " r\u00e9d net") << "pieces of " << size;
        EXPECT_FALSE(stream.end()) << "pieces of " << size;
    }
}

TEST(ChatStream, FailsWithTheCodeOfAnErrorEvent) {
    ChatStream stream;
    EXPECT_EQ(stream.feed("data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n"), "a");
    stream.feed("data: {\"error\":{\"message\":\"the node died\",\"code\":\"WORKER_RESET\"}}\n\n");
    ASSERT_TRUE(stream.end());
    EXPECT_EQ(stream.end()->code, ExitCode::refused);
    EXPECT_EQ(stream.end()->text, "WORKER_RESET: the node died");
}

TEST(ChatStream, TakesAGeneratedWordErrorForText) {
    ChatStream stream;
    const std::string_view chunk =
        "data: {\"choices\":[{\"delta\":{\"content\":\"\\\"error\\\"\"}}]}\n\n";
    EXPECT_EQ(stream.feed(chunk), "\"error\"");
}

TEST(ChatStream, FailsWithoutItsLastEvent) {
    ChatStream stream;
    stream.feed(kStream.substr(0, kStream.find("data: [DONE]")));
    ASSERT_TRUE(stream.end());
    EXPECT_EQ(stream.end()->code, ExitCode::refused);
}

TEST(ChatStream, FailsOnDataThatIsNoJson) {
    ChatStream stream;
    stream.feed("data: oops\n\ndata: [DONE]\n\n");
    EXPECT_TRUE(stream.end());
}

TEST(AnswerText, IsTheFirstChoicesMessage) {
    EXPECT_EQ(answer_text(R"({"choices":[{"message":{"content":"hello"}}]})").value(), "hello");
    EXPECT_EQ(answer_text(R"({"choices":[]})").error().code, ExitCode::refused);
    EXPECT_EQ(answer_text("<html>").error().code, ExitCode::refused);
}

}  // namespace
}  // namespace orch::llorch
