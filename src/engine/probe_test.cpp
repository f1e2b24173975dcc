#include "engine/probe.hpp"

#include "engine/wire_recording.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace orch::engine {
namespace {

void answer(ReadinessProbe& probe, const std::string& recording) {
    const WireMessage message = load_recording(recording);
    probe.answered(message.status(), message.body);
}

TEST(ReadinessProbe, AsksHealthAndThenWhichModel) {
    ReadinessProbe probe({EngineFamily::llamacpp, "/srv/engine/models/tiny-f16.gguf", "mine"});
    EXPECT_EQ(probe.next_path(), "/health");
    answer(probe, "health");
    EXPECT_EQ(probe.next_path(), "/props");
    EXPECT_EQ(probe.verdict(), ProbeVerdict::undecided);
    answer(probe, "props");
    EXPECT_EQ(probe.verdict(), ProbeVerdict::ready);
    EXPECT_FALSE(probe.next_path());
    ASSERT_TRUE(probe.props());
    EXPECT_EQ(probe.props()->total_slots, 2U);
}

TEST(ReadinessProbe, AcceptsTheAliasAlone) {
    ReadinessProbe probe({EngineFamily::llamacpp, "/elsewhere/tiny.gguf", "tiny"});
    answer(probe, "health");
    answer(probe, "props");
    EXPECT_EQ(probe.verdict(), ProbeVerdict::ready);
}

TEST(ReadinessProbe, UnmasksAnotherModelOnThePort) {
    ReadinessProbe probe({EngineFamily::llamacpp, "/models/qwen.gguf", "qwen"});
    answer(probe, "health");
    answer(probe, "props");
    EXPECT_EQ(probe.verdict(), ProbeVerdict::other_model);
    EXPECT_THAT(probe.reason(), testing::HasSubstr("tiny"));
}

TEST(ReadinessProbe, LetsAnEngineOfSomebodyElseServeWhatItLikes) {
    ReadinessProbe probe({EngineFamily::llamacpp, "", ""});
    answer(probe, "health");
    answer(probe, "sleeping_props");
    EXPECT_EQ(probe.verdict(), ProbeVerdict::ready);
}

TEST(ReadinessProbe, WaitsWhileTheModelIsLoaded) {
    ReadinessProbe probe({EngineFamily::llamacpp, "", "tiny"});
    answer(probe, "loading_health_503");
    EXPECT_EQ(probe.verdict(), ProbeVerdict::loading);
    EXPECT_FALSE(probe.next_path());
}

TEST(ReadinessProbe, FailsWithoutAnAnswerAndOnAnotherProgramsAnswer) {
    ReadinessProbe silent({EngineFamily::llamacpp, "", "tiny"});
    silent.unanswered("connection refused");
    EXPECT_EQ(silent.verdict(), ProbeVerdict::failing);
    EXPECT_EQ(silent.reason(), "no answer to GET /health: connection refused");

    ReadinessProbe web_server({EngineFamily::llamacpp, "", "tiny"});
    web_server.answered(200, "ok");
    web_server.answered(200, "<html>");
    EXPECT_EQ(web_server.verdict(), ProbeVerdict::failing);

    ReadinessProbe router({EngineFamily::llamacpp, "", "tiny"});
    answer(router, "health");
    answer(router, "router_props");
    EXPECT_EQ(router.verdict(), ProbeVerdict::failing);
}

TEST(ReadinessProbe, NeedsOnlyAListingFromOpenaiServers) {
    ReadinessProbe probe({EngineFamily::openai, "", "gpt"});
    EXPECT_EQ(probe.next_path(), "/v1/models");
    probe.answered(200, "{}");
    EXPECT_EQ(probe.verdict(), ProbeVerdict::ready);
}

TEST(ReadinessProbe, FallsBackToTheHealthPath) {
    ReadinessProbe probe({EngineFamily::vllm, "", ""});
    probe.answered(404, "");
    EXPECT_EQ(probe.next_path(), "/health");
    probe.answered(200, "");
    EXPECT_EQ(probe.verdict(), ProbeVerdict::ready);

    ReadinessProbe triton({EngineFamily::triton, "", ""});
    triton.answered(404, "");
    EXPECT_EQ(triton.next_path(), "/v2/health/ready");
    triton.answered(400, "");
    EXPECT_EQ(triton.verdict(), ProbeVerdict::failing);
    EXPECT_EQ(triton.reason(), "GET /v2/health/ready: status 400");
}

}  // namespace
}  // namespace orch::engine
