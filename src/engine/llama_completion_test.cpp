#include "engine/llama_completion.hpp"

#include "engine/sse.hpp"
#include "engine/wire_recording.hpp"

#include <gtest/gtest.h>

namespace orch::engine {
namespace {

TEST(LlamaCompletion, ReadsARecordedPrompt) {
    const auto prompt = parse_template_prompt(load_recording("apply_template").body);
    ASSERT_TRUE(prompt);
    EXPECT_TRUE(prompt->contains("<|im_start|>")) << *prompt;
    EXPECT_FALSE(parse_template_prompt("{}"));
    EXPECT_FALSE(parse_template_prompt(R"({"prompt":5})"));
}

TEST(LlamaCompletion, ReadsRecordedTokens) {
    const auto tokens = parse_tokens(load_recording("tokenize").body);
    ASSERT_TRUE(tokens);
    EXPECT_EQ(tokens->ids, (TokenIds{1, 333, 330, 337, 337, 340, 454}));
    EXPECT_EQ(tokens->text, "<s>hello owl");
}

TEST(LlamaCompletion, APieceThatIsNoTextComesAsBytes) {
    const auto tokens =
        parse_tokens(R"({"tokens":[{"id":5,"piece":[195]},{"id":6,"piece":[182,33]}]})");
    ASSERT_TRUE(tokens);
    EXPECT_EQ(tokens->text, "\xC3\xB6!");
}

TEST(LlamaCompletion, TokensOfAnotherFormAreAnError) {
    for (const char* const body :
         {"",
          "{}",
          R"({"tokens":[1,2]})",
          R"({"tokens":[{"id":1}]})",
          R"({"tokens":[{"piece":"a"}]})",
          R"({"tokens":[{"id":1,"piece":[256]}]})",
          R"({"tokens":[{"id":1e20,"piece":"a"}]})"}) {
        EXPECT_FALSE(parse_tokens(body)) << body;
    }
    EXPECT_TRUE(parse_tokens(R"({"tokens":[]})")->ids.empty());
}

TEST(LlamaCompletion, AsksForTokensOfAPromptAndOfAPart) {
    EXPECT_EQ(
        tokenize_body("a\"b", TokenizeAs::prompt),
        R"({"content":"a\"b","add_special":true,"parse_special":true,"with_pieces":true})"
    );
    EXPECT_EQ(
        tokenize_body("a", TokenizeAs::part),
        R"({"content":"a","add_special":false,"parse_special":false,"with_pieces":true})"
    );
}

TEST(LlamaCompletion, ReadsARecordedStream) {
    const std::string body = load_recording("completion_native_stream").body;
    EventReader reader(body);
    std::string text;
    std::optional<CompletionEvent> last;
    while (const auto event = reader.next()) {
        auto read = parse_completion_event(event->data);
        ASSERT_TRUE(read) << event->data;
        EXPECT_EQ(read->last, is_terminal(*event));
        text += read->text;
        last = std::move(*read);
    }
    EXPECT_EQ(text, " kit jar ear");
    ASSERT_TRUE(last && last->last);
    EXPECT_TRUE(last->cut);
    EXPECT_EQ(last->generated, 3U);
}

TEST(LlamaCompletion, AnEventWithoutContentIsAnError) {
    EXPECT_FALSE(parse_completion_event("[DONE]"));
    EXPECT_FALSE(parse_completion_event(R"({"stop":true})"));
}

}  // namespace
}  // namespace orch::engine
