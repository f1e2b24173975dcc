#include "engine/allow_list.hpp"

#include <gtest/gtest.h>

namespace orch::engine {
namespace {

constexpr auto kLlamacpp = EngineFamily::llamacpp;

TEST(AllowList, RelaysGenerationBehindALease) {
    for (const std::string_view path :
         {"/v1/chat/completions",
          "/v1/completions",
          "/v1/embeddings",
          "/v1/rerank",
          "/v1/responses",
          "/v1/messages",
          "/completion"}) {
        const auto rule = find_relay_rule(kLlamacpp, "POST", path);
        ASSERT_TRUE(rule) << path;
        EXPECT_EQ(rule->slot, SlotNeed::lease) << path;
    }
}

TEST(AllowList, RelaysQuestionsWithoutALease) {
    for (const std::string_view path :
         {"/tokenize", "/detokenize", "/apply-template", "/v1/chat/completions/input_tokens"}) {
        const auto rule = find_relay_rule(kLlamacpp, "POST", path);
        ASSERT_TRUE(rule) << path;
        EXPECT_EQ(rule->slot, SlotNeed::none) << path;
    }
    for (const std::string_view path : {"/v1/models", "/props", "/slots", "/health"}) {
        const auto rule = find_relay_rule(kLlamacpp, "GET", path);
        ASSERT_TRUE(rule) << path;
        EXPECT_EQ(rule->slot, SlotNeed::none) << path;
    }
}

TEST(AllowList, HidesTheEnginesAdministration) {
    EXPECT_FALSE(find_relay_rule(kLlamacpp, "POST", "/props"));
    EXPECT_FALSE(find_relay_rule(kLlamacpp, "POST", "/slots/0"));
    EXPECT_FALSE(find_relay_rule(kLlamacpp, "POST", "/slots"));
    EXPECT_FALSE(find_relay_rule(kLlamacpp, "GET", "/lora-adapters"));
    EXPECT_FALSE(find_relay_rule(kLlamacpp, "POST", "/lora-adapters"));
    EXPECT_FALSE(find_relay_rule(kLlamacpp, "GET", "/metrics"));
    EXPECT_FALSE(find_relay_rule(kLlamacpp, "GET", "/v1/stream"));
    EXPECT_FALSE(find_relay_rule(kLlamacpp, "DELETE", "/v1/stream"));
    EXPECT_FALSE(find_relay_rule(kLlamacpp, "POST", "/models/load"));
}

TEST(AllowList, TakesPathsByTheLetter) {
    EXPECT_FALSE(find_relay_rule(kLlamacpp, "GET", "/v1/chat/completions"));
    EXPECT_FALSE(find_relay_rule(kLlamacpp, "POST", "/v1/chat/completions/"));
    EXPECT_FALSE(find_relay_rule(kLlamacpp, "POST", "//v1/chat/completions"));
    EXPECT_FALSE(find_relay_rule(kLlamacpp, "POST", "/v1/../v1/chat/completions"));
    EXPECT_FALSE(find_relay_rule(kLlamacpp, "POST", "v1/chat/completions"));
}

TEST(AllowList, GivesOtherFamiliesTheOpenaiPaths) {
    for (const auto family : {EngineFamily::openai, EngineFamily::vllm, EngineFamily::tgi}) {
        EXPECT_TRUE(find_relay_rule(family, "POST", "/v1/chat/completions"));
        EXPECT_TRUE(find_relay_rule(family, "GET", "/v1/models"));
        EXPECT_FALSE(find_relay_rule(family, "POST", "/completion"));
        EXPECT_FALSE(find_relay_rule(family, "GET", "/slots"));
        for (const RelayRule& rule : relay_rules(family)) {
            EXPECT_TRUE(rule.path.starts_with("/v1/")) << rule.path;
        }
    }
}

}  // namespace
}  // namespace orch::engine
