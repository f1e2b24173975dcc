#include "engine/resume_request.hpp"

#include <gtest/gtest.h>

#include <string>

namespace orch::engine {
namespace {

std::string chat(const std::string& more) {
    return R"({"messages":[{"role":"user","content":"hi"}])" + (more.empty() ? "" : "," + more) +
           "}";
}

Result<ResumeRequest> read_chat(const std::string& more) {
    return ResumeRequest::read(StreamShape::chat, chat(more));
}

Result<ResumeRequest> read_text(const std::string& body) {
    return ResumeRequest::read(StreamShape::text, body);
}

TEST(ResumeRequest, ThePathTellsTheShape) {
    EXPECT_EQ(stream_shape("/v1/chat/completions"), StreamShape::chat);
    EXPECT_EQ(stream_shape("/v1/completions?x=1"), StreamShape::text);
    EXPECT_FALSE(stream_shape("/v1/embeddings"));
}

TEST(ResumeRequest, TheSamplingGoesOnAndTheRestStays) {
    const auto request = read_chat(
        R"("model":"m","temperature":0.5,"top_p":0.9,"seed":7,"stop":"END","max_tokens":9,)"
        R"("stream_options":{"include_usage":true},"response_format":{"type":"text"},"n":1,)"
        R"("tools":[],"logprobs":false,"min_p":0.1)"
    );
    ASSERT_TRUE(request) << request.error().message;
    EXPECT_TRUE(request->include_usage());
    EXPECT_EQ(request->limit(), 9U);
    EXPECT_FALSE(request->prompt_text() || request->prompt_ids());
    const TokenIds prompt{1, 2, 30};
    const std::string body = request->completion_body(prompt, 4);
    for (const char* const part :
         {R"("model":"m")",
          R"("temperature":5E-1)",
          R"("top_p":9E-1)",
          R"("seed":7)",
          R"("min_p":1E-1)",
          R"("stop":["END"])",
          R"("prompt":[1,2,30])",
          R"("stream":true)",
          R"("n_predict":4)"}) {
        EXPECT_TRUE(body.contains(part)) << part << " in " << body;
    }
    for (const char* const part :
         {"messages", "max_tokens", "_options", "_format", "\"n\"", "tools"}) {
        EXPECT_FALSE(body.contains(part)) << part << " in " << body;
    }
    EXPECT_FALSE(request->completion_body(prompt, std::nullopt).contains("n_predict"));
}

TEST(ResumeRequest, WhatIsMoreThanTextIsNotContinued) {
    for (const char* const field : {
             R"("tools":[{"type":"function"}])",
             R"("functions":[{"name":"f"}])",
             R"("grammar":"root ::= x")",
             R"("json_schema":{"type":"object"})",
             R"("response_format":{"type":"json_object"})",
             R"("response_format":"json")",
             R"("logprobs":true)",
             R"("top_logprobs":3)",
             R"("n_probs":1)",
             R"("n":2)",
             R"("n":"2")",
             R"("best_of":2)",
             R"("return_progress":true)",
             R"("audio":{"voice":"x"})",
             R"("max_tokens":"5")",
             R"("max_tokens":5,"n_predict":6)",
         }) {
        const auto request = read_chat(field);
        ASSERT_FALSE(request) << field;
        EXPECT_EQ(request.error().code, Errc::invalid_params);
    }
}

TEST(ResumeRequest, ContentOtherThanTextIsNotContinued) {
    const auto read = [](const char* content) {
        const std::string body =
            R"({"messages":[{"role":"user","content":)" + std::string(content) + "}]}";
        return ResumeRequest::read(StreamShape::chat, body).has_value();
    };
    EXPECT_TRUE(read(R"("hi")"));
    EXPECT_TRUE(read(R"([{"type":"text","text":"hi"}])"));
    EXPECT_TRUE(read("null"));
    EXPECT_FALSE(read(R"([{"type":"image_url","image_url":{"url":"data:"}}])"));
    EXPECT_FALSE(read("5"));
    EXPECT_FALSE(ResumeRequest::read(StreamShape::chat, "{}"));
    EXPECT_FALSE(ResumeRequest::read(StreamShape::chat, R"({"messages":["hi"]})"));
    EXPECT_FALSE(ResumeRequest::read(StreamShape::chat, "no JSON"));
}

TEST(ResumeRequest, TheLimitIsReadAsTheEngineReadsIt) {
    EXPECT_FALSE(read_chat("")->limit());
    EXPECT_FALSE(read_chat(R"("max_tokens":-1)")->limit());
    EXPECT_FALSE(read_chat(R"("max_tokens":null)")->limit());
    EXPECT_EQ(read_chat(R"("max_tokens":0)")->limit(), 1U);
    EXPECT_EQ(read_chat(R"("max_completion_tokens":3,"max_tokens":3)")->limit(), 3U);
}

TEST(ResumeRequest, APromptIsATextOrTokens) {
    EXPECT_EQ(read_text(R"({"prompt":"once"})")->prompt_text(), "once");
    EXPECT_EQ(read_text(R"({"prompt":["once"]})")->prompt_text(), "once");
    EXPECT_EQ(read_text(R"({"prompt":[1,578]})")->prompt_ids(), (TokenIds{1, 578}));
    for (const char* const body :
         {R"({"prompt":["a","b"]})",
          R"({"prompt":[1,"b"]})",
          R"({"prompt":[[1],[2]]})",
          R"({"prompt":[]})",
          R"({"prompt":[-1]})",
          R"({"prompt":[4294967296]})",
          R"({"prompt":{}})",
          "{}"}) {
        EXPECT_FALSE(read_text(body)) << body;
    }
}

}  // namespace
}  // namespace orch::engine
