#include "control/gateway/continuation_fsm.hpp"

#include <gtest/gtest.h>

namespace orch::control::gateway {
namespace {

using engine::ResumeRequest;
using engine::StreamShape;
using Step = ContinuationFsm::Step;

constexpr std::string_view kChat =
    R"({"messages":[{"role":"user","content":"hi"}],"max_tokens":5})";
constexpr std::string_view kPromptTokens =
    R"({"tokens":[{"id":1,"piece":"<s>"},{"id":2,"piece":"hi"}]})";
constexpr std::string_view kTextTokens =
    R"({"tokens":[{"id":3,"piece":" a"},{"id":4,"piece":" b"}]})";

TEST(ContinuationFsm, AChatIsRenderedTokenizedAndGoesOnBehindItsText) {
    const auto request = ResumeRequest::read(StreamShape::chat, kChat);
    ContinuationFsm fsm(*request, " a b");
    EXPECT_EQ(fsm.step(), Step::ask);
    EXPECT_EQ(fsm.path(), "/apply-template");
    EXPECT_EQ(fsm.body(), kChat);
    ASSERT_TRUE(fsm.accept(R"({"prompt":"hi"})"));
    EXPECT_EQ(fsm.path(), "/tokenize");
    EXPECT_EQ(fsm.body(), engine::tokenize_body("hi", engine::TokenizeAs::prompt));
    ASSERT_TRUE(fsm.accept(kPromptTokens));
    EXPECT_EQ(fsm.body(), engine::tokenize_body(" a b", engine::TokenizeAs::part));
    ASSERT_TRUE(fsm.accept(kTextTokens));
    EXPECT_EQ(fsm.step(), Step::generate);
    EXPECT_EQ(fsm.path(), "/completion");
    EXPECT_EQ(fsm.body(), request->completion_body(engine::TokenIds{1, 2, 3, 4}, 3));
    EXPECT_EQ(fsm.prompt_tokens(), 2U);
    EXPECT_EQ(fsm.text_tokens(), 2U);
}

TEST(ContinuationFsm, APromptOfTokensIsTakenAsItIs) {
    const auto request = ResumeRequest::read(StreamShape::text, R"({"prompt":[7,8]})");
    ContinuationFsm fsm(*request, " a b");
    EXPECT_EQ(fsm.path(), "/tokenize");
    ASSERT_TRUE(fsm.accept(kTextTokens));
    EXPECT_EQ(fsm.body(), request->completion_body(engine::TokenIds{7, 8, 3, 4}, std::nullopt));
}

TEST(ContinuationFsm, WhoHasAllItsTokensNeedsNoMore) {
    const auto request = ResumeRequest::read(StreamShape::text, R"({"prompt":[7],"max_tokens":2})");
    ContinuationFsm fsm(*request, " a b");
    ASSERT_TRUE(fsm.accept(kTextTokens));
    EXPECT_EQ(fsm.step(), Step::at_limit);
}

// Vocabularies of the SentencePiece kind put a space before every text.
TEST(ContinuationFsm, AVocabularyThatAddsASpaceIsAskedForBothInOnePiece) {
    const auto request = ResumeRequest::read(StreamShape::text, R"({"prompt":"hi"})");
    ContinuationFsm fsm(*request, "you");
    ASSERT_TRUE(fsm.accept(kPromptTokens));
    ASSERT_TRUE(fsm.accept(R"({"tokens":[{"id":9,"piece":" you"}]})"));
    EXPECT_EQ(fsm.step(), Step::ask);
    EXPECT_EQ(fsm.body(), engine::tokenize_body("hiyou", engine::TokenizeAs::prompt));
    ASSERT_TRUE(fsm.accept(
        R"({"tokens":[{"id":1,"piece":"<s>"},{"id":2,"piece":"hi"},{"id":5,"piece":"you"}]})"
    ));
    EXPECT_EQ(fsm.body(), request->completion_body(engine::TokenIds{1, 2, 5}, std::nullopt));
}

TEST(ContinuationFsm, TokensThatGrewTogetherWithThePromptEndIt) {
    const auto request = ResumeRequest::read(StreamShape::text, R"({"prompt":"hi"})");
    for (const char* const whole :
         {R"({"tokens":[{"id":1,"piece":"<s>"},{"id":6,"piece":"hiyou"}]})",
          R"({"tokens":[{"id":1,"piece":"<s>"}]})",
          R"({"tokens":[{"id":1,"piece":"<s>"},{"id":2,"piece":"hi"},{"id":5,"piece":"yo"}]})"}) {
        ContinuationFsm fsm(*request, "you");
        ASSERT_TRUE(fsm.accept(kPromptTokens));
        ASSERT_TRUE(fsm.accept(R"({"tokens":[{"id":9,"piece":" you"}]})"));
        const auto accepted = fsm.accept(whole);
        ASSERT_FALSE(accepted) << whole;
        EXPECT_EQ(accepted.error().code, Errc::worker_reset);
    }
}

TEST(ContinuationFsm, AnAnswerOfAnotherFormEndsIt) {
    const auto request = ResumeRequest::read(StreamShape::chat, kChat);
    ContinuationFsm fsm(*request, " a");
    EXPECT_FALSE(fsm.accept("no JSON"));
    ASSERT_TRUE(fsm.accept(R"({"prompt":"hi"})"));
    EXPECT_FALSE(fsm.accept("{}"));
}

}  // namespace
}  // namespace orch::control::gateway
