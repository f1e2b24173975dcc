#include "control/gateway/continued_stream.hpp"

#include <gtest/gtest.h>

namespace orch::control::gateway {
namespace {

ContinuedStream stream(bool include_usage) {
    return {
        *engine::ChunkWriter::make(engine::StreamShape::chat, R"({"choices":[],"id":"x"})"),
        {.prompt_tokens = 10, .text_tokens = 4, .include_usage = include_usage}
    };
}

TEST(ContinuedStream, TextBecomesAChunkOfTheOldStream) {
    EXPECT_EQ(
        stream(true).translate({{}, R"({"content":" c","stop":false,"tokens_predicted":1})"}),
        "data: {\"choices\":[{\"finish_reason\":null,\"index\":0,\"delta\":{\"content\":\" c\"}}],"
        "\"id\":\"x\"}\n\n"
    );
}

// Bytes of a character that is not whole are held back by the engine.
TEST(ContinuedStream, AnEventWithoutTextBecomesNone) {
    EXPECT_EQ(stream(true).translate({{}, R"({"content":"","stop":false})"}), "");
    EXPECT_EQ(stream(true).translate({{}, "what?"}), "");
}

TEST(ContinuedStream, TheUsageIsThatOfTheWholeAnswer) {
    ContinuedStream continued = stream(true);
    const std::string end = continued.translate(
        {{}, R"({"content":" z","stop":true,"stop_type":"eos","tokens_predicted":3})"}
    );
    EXPECT_TRUE(end.contains("\" z\"")) << end;
    EXPECT_TRUE(end.contains(R"("finish_reason":"stop")")) << end;
    EXPECT_TRUE(end.contains(R"("completion_tokens":7,"prompt_tokens":10,"total_tokens":17)"))
        << end;
    EXPECT_TRUE(end.ends_with("data: [DONE]\n\n"));
    EXPECT_EQ(continued.usage(), (engine::Usage{10, 7}));
}

TEST(ContinuedStream, AClientThatDidNotAskGetsNoUsage) {
    ContinuedStream continued = stream(false);
    const std::string end = continued.translate(
        {{}, R"({"content":"","stop":true,"stop_type":"limit","tokens_predicted":3})"}
    );
    EXPECT_TRUE(end.contains(R"("finish_reason":"length")")) << end;
    EXPECT_FALSE(end.contains("usage"));
    EXPECT_EQ(continued.usage(), (engine::Usage{10, 7}));
}

TEST(ContinuedStream, AnErrorOfTheEnginePasses) {
    EXPECT_EQ(
        stream(true).translate({{}, R"({"error":{"code":500}})"}),
        "data: {\"error\":{\"code\":500}}\n\n"
    );
}

TEST(ContinuedStream, AnAnswerAtItsLimitOnlyEnds) {
    ContinuedStream continued = stream(true);
    const std::string end = continued.end_at_limit();
    EXPECT_TRUE(end.contains(R"("finish_reason":"length")")) << end;
    EXPECT_EQ(continued.usage(), (engine::Usage{10, 4}));
}

}  // namespace
}  // namespace orch::control::gateway
