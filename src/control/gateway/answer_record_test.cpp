#include "control/gateway/answer_record.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace orch::control::gateway {
namespace {

using engine::StreamShape;

std::string chunk(std::string_view delta, int index = 0) {
    return fmt::format(
        R"({{"choices":[{{"finish_reason":null,"index":{},"delta":{{{}}}}}],"id":"x"}})",
        index,
        delta
    );
}

const std::string kRole = chunk(R"("role":"assistant","content":null)");
const std::string kFinish = R"({"choices":[{"finish_reason":"stop","index":0,"delta":{}}]})";

AnswerRecord record_of(const std::vector<std::string>& events, Bytes most = kMiB) {
    AnswerRecord record(StreamShape::chat, most);
    for (const std::string& event : events) {
        record.sent({{}, event});
    }
    return record;
}

TEST(AnswerRecord, KeepsTheTextAndTheFirstEvent) {
    const AnswerRecord record =
        record_of({kRole, chunk(R"("content":" red")"), chunk(R"("content":"\"n\n\\")")});
    EXPECT_TRUE(record.can_go_on());
    EXPECT_EQ(record.text(), " red\"n\n\\");
    EXPECT_EQ(record.first_event(), kRole);
}

TEST(AnswerRecord, ReadsTextCompletions) {
    AnswerRecord record(StreamShape::text, kMiB);
    record.sent(
        {{}, R"({"choices":[{"text":" kit","index":0,"logprobs":null,"finish_reason":null}]})"}
    );
    EXPECT_TRUE(record.can_go_on());
    EXPECT_EQ(record.text(), " kit");
}

TEST(AnswerRecord, WithoutTextNothingGoesOn) {
    EXPECT_TRUE(record_of({}).untouched());
    EXPECT_FALSE(record_of({}).can_go_on());
    EXPECT_FALSE(record_of({kRole}).untouched());
    EXPECT_FALSE(record_of({kRole}).can_go_on());
}

TEST(AnswerRecord, MoreThanTextSpoilsIt) {
    const std::string text = chunk(R"("content":"a")");
    for (const std::string& event : {
             chunk(R"("reasoning_content":"hm")"),
             chunk(R"("tool_calls":[{"index":0}])"),
             chunk(R"("refusal":"no")"),
             chunk(R"("content":"b")", 1),
             std::string(R"({"choices":[{"index":0,"delta":{"content":"b"},"logprobs":{"c":[]}}]})"
             ),
             std::string(R"({"error":{"code":500}})"),
             kFinish,
         }) {
        EXPECT_FALSE(record_of({text, event}).can_go_on()) << event;
        EXPECT_FALSE(record_of({event, text}).can_go_on()) << event;
        EXPECT_FALSE(record_of({event}).untouched()) << event;
    }
    EXPECT_TRUE(record_of({text, chunk(R"("reasoning_content":null,"content":"b")")}).can_go_on());
    EXPECT_TRUE(record_of({text, "[DONE]"}).can_go_on());
}

// A model may write anything, also what looks like an event.
TEST(AnswerRecord, TextThatLooksLikeAKeyIsText) {
    const AnswerRecord record = record_of({chunk(R"("content":"\"tool_calls\":[1] \"index\":3")")});
    EXPECT_TRUE(record.can_go_on());
    EXPECT_EQ(record.text(), R"("tool_calls":[1] "index":3)");
}

TEST(AnswerRecord, ItsMemoryIsBounded) {
    const std::string text = chunk(R"("content":"0123456789")");
    EXPECT_TRUE(record_of({text, text}, 20).can_go_on());
    EXPECT_FALSE(record_of({text, text, text}, 20).can_go_on());
}

TEST(AnswerRecord, KnowsBeginningAndEnd) {
    EXPECT_TRUE(AnswerRecord::is_finish({{}, kFinish}));
    EXPECT_FALSE(AnswerRecord::is_finish({{}, kRole}));
    EXPECT_FALSE(AnswerRecord::is_news({{}, kRole}));
    const std::string text = chunk(R"("content":"a")");
    EXPECT_TRUE(AnswerRecord::is_news({{}, text}));
    EXPECT_TRUE(AnswerRecord::is_news({{}, R"({"choices":[],"prompt_progress":{"total":5}})"}));
}

}  // namespace
}  // namespace orch::control::gateway
