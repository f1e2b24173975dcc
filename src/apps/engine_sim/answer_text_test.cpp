#include "apps/engine_sim/answer_text.hpp"

#include <gtest/gtest.h>

namespace orch::engine_sim {
namespace {

std::string text_of(const AnswerText& answer) {
    std::string text;
    for (std::uint32_t i = 0; i < answer.size(); ++i) {
        text += answer.word(i);
    }
    return text;
}

TEST(AnswerText, IsTheSameForPromptsWithoutAKey) {
    EXPECT_EQ(text_of(AnswerText("hello", "", 4)), " red net day oil");
    EXPECT_EQ(text_of(AnswerText("good morning", "", 4)), " red net day oil");
}

TEST(AnswerText, IsSpelledByTheLastKeyOfTheList) {
    EXPECT_EQ(text_of(AnswerText("say alpha", "", 2)), " redA netA");
    EXPECT_EQ(text_of(AnswerText("delta beta alpha", "", 2)), " redD netD");
}

TEST(AnswerText, ContinuesBehindTheLastWordInThePromptsSpelling) {
    EXPECT_EQ(text_of(AnswerText("gamma", " redB netB", 4)), " dayG oilG");
    EXPECT_EQ(text_of(AnswerText("x", "red net", 3)), " day");
    EXPECT_EQ(text_of(AnswerText("x", " red net day", 3)), "");
    EXPECT_EQ(text_of(AnswerText("x", " red net day oil", 3)), "");
}

TEST(AnswerText, BeginsAnewBehindAnythingElse) {
    EXPECT_EQ(text_of(AnswerText("x", "hello", 2)), " red net");
    EXPECT_EQ(text_of(AnswerText("x", " red ne", 2)), " red net");
    EXPECT_EQ(text_of(AnswerText("x", " redX", 2)), " red net");
}

TEST(AnswerText, RepeatsTheOrderWhenItIsLong) {
    const AnswerText answer("x", "", 130);
    EXPECT_EQ(answer.word(63), " pen");
    EXPECT_EQ(answer.word(64), " red");
    EXPECT_EQ(answer.word(129), " net");
}

TEST(CountWords, CountsWhatBlanksSeparate) {
    EXPECT_EQ(count_words(""), 0U);
    EXPECT_EQ(count_words("  one\ntwo\t three "), 3U);
}

}  // namespace
}  // namespace orch::engine_sim
