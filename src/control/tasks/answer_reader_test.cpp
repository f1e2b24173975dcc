#include "control/tasks/answer_reader.hpp"

#include <gtest/gtest.h>

namespace orch::control::tasks {
namespace {

using std::chrono::milliseconds;

constexpr Instant kStart{std::chrono::hours(1)};

std::string chunk(std::string_view delta) {
    return "data: {\"choices\":[{\"index\":0,\"delta\":{" + std::string(delta) + "}}]}\n\n";
}

TEST(AnswerReader, TextBecomesNumberedTokenEvents) {
    AnswerReader reader;
    TaskReport first = reader.read(
        chunk(R"("role":"assistant","content":null)") + chunk(R"("content":" red")"), kStart
    );
    ASSERT_EQ(first.events.size(), 1U);
    EXPECT_EQ(first.events[0].name, "token");
    EXPECT_EQ(first.events[0].data, R"({"t":" red","i":0,"kind":"text"})");
    EXPECT_EQ(first.text, " red");
    const TaskReport second = reader.read(chunk(R"("content":"\"\n")"), kStart);
    EXPECT_EQ(second.events[0].data, R"({"t":"\"\n","i":1,"kind":"text"})");
    EXPECT_EQ(second.tokens, 2U);
}

TEST(AnswerReader, ReasoningIsNoOutput) {
    AnswerReader reader;
    const TaskReport report = reader.read(chunk(R"("reasoning_content":"hm")"), kStart);
    EXPECT_EQ(report.events[0].data, R"({"t":"hm","i":0,"kind":"reasoning"})");
    EXPECT_EQ(report.text, "");
}

TEST(AnswerReader, TheEnginesFiguresCount) {
    AnswerReader reader;
    reader.read(chunk(R"("content":"a")"), kStart);
    reader.read(chunk(R"("content":"b")"), kStart + milliseconds(30));
    reader.read(
        "data: "
        "{\"choices\":[],\"usage\":{\"completion_tokens\":9},\"timings\":{\"predicted_ms\":5.5}}"
        "\n\n"
        "data: [DONE]\n\n",
        kStart + milliseconds(99)
    );
    const RunEnd end = reader.finish();
    EXPECT_FALSE(end.error);
    EXPECT_EQ(end.figures.tokens_out, 9U);
    EXPECT_EQ(end.figures.decode_ms, 5.5);
    EXPECT_EQ(end.decoding, milliseconds(30));
}

TEST(AnswerReader, AnErrorEventIsTheTasksError) {
    AnswerReader reader;
    reader.read(chunk(R"("content":"a")"), kStart);
    reader.read(
        "data: {\"error\":{\"code\":500,\"message\":\"no room\",\"type\":\"server_error\"}}\n\n",
        kStart
    );
    const RunEnd end = reader.finish();
    ASSERT_TRUE(end.error);
    EXPECT_EQ(end.error->code, Errc::worker_reset);
    EXPECT_EQ(end.error->message, "the engine: no room");
}

TEST(AnswerReader, AnEnginesRefusalIsTranslated) {
    const Error context = error_of_answer(
        400,
        R"({"error":{"code":400,"message":"too long","type":"exceed_context_size_error","n_ctx":8}})"
    );
    EXPECT_EQ(context.code, Errc::context_length_exceeded);
    EXPECT_EQ(
        error_of_answer(501, R"({"error":{"code":501,"message":"x","type":"not_supported_error"}})")
            .code,
        Errc::invalid_params
    );
    EXPECT_EQ(error_of_answer(404, "no json").code, Errc::invalid_params);
    EXPECT_EQ(error_of_answer(502, "").code, Errc::worker_reset);
}

}  // namespace
}  // namespace orch::control::tasks
