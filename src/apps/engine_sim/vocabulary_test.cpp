#include "apps/engine_sim/vocabulary.hpp"

#include "apps/engine_sim/answer_text.hpp"

#include <gtest/gtest.h>

namespace orch::engine_sim {
namespace {

TEST(Vocabulary, TokensSpellTheirTextAndAreItsWords) {
    Vocabulary vocabulary;
    for (const std::string text :
         {" redB netB", "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n", "a  b ", ""}) {
        const auto tokens = vocabulary.tokenize(text);
        EXPECT_EQ(tokens.size(), count_words(text)) << text;
        std::string spelt;
        for (const auto& token : tokens) {
            ASSERT_TRUE(vocabulary.append(token.id, spelt));
        }
        EXPECT_EQ(spelt, text);
    }
    EXPECT_EQ(vocabulary.tokenize(" \n").size(), 1U);
}

TEST(Vocabulary, TheSameWordIsTheSameToken) {
    Vocabulary vocabulary;
    const auto tokens = vocabulary.tokenize(" red net red");
    EXPECT_NE(tokens[0].id, tokens[1].id);
    EXPECT_EQ(vocabulary.tokenize(" red x").front().id, tokens[0].id);
    std::string text;
    EXPECT_FALSE(vocabulary.append(1000, text));
}

}  // namespace
}  // namespace orch::engine_sim
