#include "engine/delta.hpp"

#include <gtest/gtest.h>

namespace orch::engine {
namespace {

TEST(Delta, ReadsTheTextOfAChatChunk) {
    const Delta delta = parse_delta(
        R"({"choices":[{"finish_reason":null,"index":0,"delta":{"content":" red"}}],"id":"x"})"
    );
    ASSERT_EQ(delta.pieces.size(), 1U);
    EXPECT_EQ(delta.pieces[0].text, " red");
    EXPECT_EQ(delta.pieces[0].kind, PieceKind::text);
}

TEST(Delta, ReadsTheTextOfACompletionChunk) {
    const Delta delta = parse_delta(R"({"choices":[{"text":" kit","index":0}]})");
    ASSERT_EQ(delta.pieces.size(), 1U);
    EXPECT_EQ(delta.pieces[0].text, " kit");
}

TEST(Delta, TellsReasoningAndToolsFromText) {
    const Delta delta =
        parse_delta(R"({"choices":[{"delta":{"reasoning_content":"hm","content":"a",)"
                    R"("tool_calls":[{"index":0,"function":{"arguments":"{"}}]}}]})");
    ASSERT_EQ(delta.pieces.size(), 3U);
    EXPECT_EQ(to_string(delta.pieces[0].kind), "reasoning");
    EXPECT_EQ(to_string(delta.pieces[1].kind), "text");
    EXPECT_EQ(to_string(delta.pieces[2].kind), "tool");
    EXPECT_EQ(delta.pieces[2].text, R"({"index":0,"function":{"arguments":"{"}})");
}

TEST(Delta, RoleAndFinishChunksAddNothing) {
    EXPECT_TRUE(
        parse_delta(R"({"choices":[{"delta":{"role":"assistant","content":null}}]})").pieces.empty()
    );
    EXPECT_TRUE(parse_delta(R"({"choices":[{"finish_reason":"stop","delta":{}}]})").pieces.empty());
}

TEST(Delta, ReadsTheEnginesFigures) {
    const Delta delta =
        parse_delta(R"({"choices":[],"usage":{"completion_tokens":4,"prompt_tokens":25},)"
                    R"("timings":{"prompt_ms":3.5,"predicted_ms":6}})");
    EXPECT_EQ(delta.figures.tokens_in, 25U);
    EXPECT_EQ(delta.figures.tokens_out, 4U);
    EXPECT_EQ(delta.figures.prompt_ms, 3.5);
    EXPECT_EQ(delta.figures.decode_ms, 6.0);
}

TEST(Delta, WrongShapesAreLeftOut) {
    for (const char* data :
         {"[DONE]",
          "",
          "[]",
          "7",
          R"({"choices":7})",
          R"({"choices":[7,null,{"delta":"x"},{"text":9}]})",
          R"({"usage":{"completion_tokens":-1},"timings":{"predicted_ms":"x"}})"}) {
        const Delta delta = parse_delta(data);
        EXPECT_TRUE(delta.pieces.empty()) << data;
        EXPECT_FALSE(delta.figures.tokens_out) << data;
        EXPECT_FALSE(delta.figures.decode_ms) << data;
    }
}

}  // namespace
}  // namespace orch::engine
