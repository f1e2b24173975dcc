#include "engine/llamacpp.hpp"

#include "engine/wire_recording.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace orch::engine {
namespace {

ErrorCause cause_in(const std::string& name) {
    const WireMessage answer = load_recording(name);
    const auto error = parse_engine_error(answer.body);
    EXPECT_TRUE(error) << name;
    EXPECT_EQ(error->code, answer.status()) << name;
    return cause_of(answer.status(), *error);
}

LlamaHealth health_in(const std::string& name) {
    const WireMessage answer = load_recording(name);
    return judge_llama_health(answer.status(), answer.body);
}

TEST(LlamaHealth, TellsLoadingFromFailing) {
    EXPECT_EQ(health_in("health"), LlamaHealth::ok);
    EXPECT_EQ(health_in("health_busy"), LlamaHealth::ok);
    EXPECT_EQ(health_in("loading_health_503"), LlamaHealth::loading);
    EXPECT_EQ(health_in("err_404"), LlamaHealth::failing);
    EXPECT_EQ(judge_llama_health(503, "upstream is down"), LlamaHealth::failing);
}

TEST(LlamaProps, AreReadAsRecorded) {
    const auto props = parse_llama_props(load_recording("props").body);
    ASSERT_TRUE(props);
    EXPECT_EQ(props->total_slots, 2U);
    EXPECT_EQ(props->n_ctx, 2048U);
    EXPECT_EQ(props->model_alias, "tiny");
    EXPECT_EQ(props->model_path, "/srv/engine/models/tiny-f16.gguf");
    EXPECT_EQ(props->build_info, "b1-de3ff81");
    EXPECT_FALSE(props->is_sleeping);
}

TEST(LlamaProps, TellThatTheModelSleeps) {
    const auto props = parse_llama_props(load_recording("sleeping_props").body);
    ASSERT_TRUE(props);
    EXPECT_TRUE(props->is_sleeping);
    EXPECT_EQ(props->total_slots, 4U);
    EXPECT_EQ(props->model_alias, props->model_path);
}

TEST(LlamaProps, AreRefusedFromARouterAndFromAnythingElse) {
    const auto router = parse_llama_props(load_recording("router_props").body);
    ASSERT_FALSE(router);
    EXPECT_THAT(router.error().message, testing::HasSubstr("total_slots"));
    EXPECT_FALSE(parse_llama_props("<html>"));
    EXPECT_FALSE(parse_llama_props(R"({"total_slots":2})"));
}

TEST(LlamaSlots, CountsBusyOnes) {
    const auto idle = parse_llama_slots(load_recording("slots_idle").body);
    ASSERT_TRUE(idle);
    EXPECT_EQ(idle->total, 2U);
    EXPECT_EQ(idle->busy, 0U);
    const auto busy = parse_llama_slots(load_recording("slots_busy").body);
    ASSERT_TRUE(busy);
    EXPECT_EQ(busy->total, 2U);
    EXPECT_EQ(busy->busy, 2U);
    EXPECT_EQ(parse_llama_slots(load_recording("slots_after").body)->busy, 0U);
    EXPECT_FALSE(parse_llama_slots(load_recording("slots_disabled").body));
}

TEST(LlamaSlots, TellHowFullTheirContextsAre) {
    EXPECT_EQ(parse_llama_slots(load_recording("slots_idle").body)->cache_usage, 0.0);
    EXPECT_DOUBLE_EQ(
        parse_llama_slots(load_recording("slots_busy").body)->cache_usage.value(), 306.0 / 8192
    );
    EXPECT_DOUBLE_EQ(
        parse_llama_slots(load_recording("slots_after").body)->cache_usage.value(), 2047.0 / 4096
    );
    // Builds that do not count a slot's tokens, and ones that do not tell its context.
    EXPECT_FALSE(parse_llama_slots(R"([{"n_ctx":8,"is_processing":true}])")->cache_usage);
    EXPECT_FALSE(parse_llama_slots(R"([{"is_processing":false}])")->cache_usage);
    EXPECT_FALSE(parse_llama_slots("[]")->cache_usage);
}

TEST(EngineErrors, AreReadFromEveryRecordedRefusal) {
    for (const auto& entry : std::filesystem::directory_iterator(recordings_folder())) {
        const std::string name = entry.path().stem().string();
        if (name.ends_with(".request")) {
            continue;
        }
        const WireMessage answer = load_recording(name);
        EXPECT_EQ(parse_engine_error(answer.body).has_value(), answer.status() >= 400) << name;
    }
}

TEST(EngineErrors, SayWhoseFaultItWas) {
    EXPECT_EQ(cause_in("err_bad_json"), ErrorCause::request);
    EXPECT_EQ(cause_in("err_empty_body"), ErrorCause::request);
    EXPECT_EQ(cause_in("err_no_messages"), ErrorCause::request);
    EXPECT_EQ(cause_in("err_404"), ErrorCause::request);
    EXPECT_EQ(cause_in("chat_image_unsupported"), ErrorCause::request);
    EXPECT_EQ(cause_in("embeddings_too_long"), ErrorCause::request);
    EXPECT_EQ(cause_in("err_ctx_overflow"), ErrorCause::context);
    EXPECT_EQ(cause_in("embeddings_unsupported"), ErrorCause::unsupported);
    EXPECT_EQ(cause_in("loading_chat_503"), ErrorCause::loading);
    EXPECT_EQ(cause_in("nonstream_kv_exhausted"), ErrorCause::engine);
    EXPECT_EQ(cause_in("slots_fail_on_no_slot_busy"), ErrorCause::engine);
}

TEST(EngineErrors, TellTheSizesOfAnOverlongPrompt) {
    const auto error = parse_engine_error(load_recording("err_ctx_overflow").body);
    ASSERT_TRUE(error);
    EXPECT_EQ(error->n_prompt_tokens, 9020U);
    EXPECT_EQ(error->n_ctx, 2048U);
}

TEST(EngineErrors, MayHaveACodeThatIsNoNumber) {
    const auto error = parse_engine_error(
        R"({"error":{"message":"no","type":"invalid_request_error","code":"model_not_found"}})"
    );
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code, 0);
    EXPECT_EQ(error->message, "no");
    EXPECT_EQ(cause_of(404, *error), ErrorCause::request);
}

}  // namespace
}  // namespace orch::engine
