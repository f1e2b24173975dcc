#include "apps/engine_sim/sim_options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace orch::engine_sim {
namespace {

TEST(SimOptions, TakesTheFlagsThatANodeSends) {
    const auto options = read_options(
        {"--model",
         "/m/x.gguf",
         "--alias",
         "x",
         "--host",
         "127.0.0.1",
         "--port",
         "4711",
         "--parallel",
         "4",
         "--ctx-size",
         "32768",
         "--n-gpu-layers",
         "999",
         "--metrics",
         "--slots",
         "--tensor-split",
         "1,1",
         "--embeddings",
         "--batch-size",
         "2048",
         "--ubatch-size",
         "2048",
         "--pooling",
         "rank"}
    );
    ASSERT_TRUE(options) << options.error().text;
    EXPECT_EQ(options->model, "/m/x.gguf");
    EXPECT_EQ(options->alias, "x");
    EXPECT_EQ(options->port, 4711);
    EXPECT_EQ(options->slots, 4U);
    EXPECT_EQ(options->ctx_per_slot(), 8192U);
}

TEST(SimOptions, TakesShortFlagsOfSeveralLetters) {
    const auto options = read_options(
        {"-m", "x", "-np", "3", "-c", "300", "-ngl", "-1", "-fa", "on", "-ub", "64", "--no-slots"}
    );
    ASSERT_TRUE(options) << options.error().text;
    EXPECT_EQ(options->slots, 3U);
    EXPECT_EQ(options->ctx_per_slot(), 100U);
    EXPECT_EQ(options->alias, "x");
    EXPECT_FALSE(options->slots_endpoint);
}

TEST(SimOptions, RefusesWhatItDoesNotKnow) {
    const auto unknown = read_options({"-m", "x", "--bogus"});
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().code, 1);
    EXPECT_THAT(unknown.error().text, testing::HasSubstr("--bogus"));
    EXPECT_FALSE(read_options({}));
    EXPECT_FALSE(read_options({"-m", "x", "--refuse", "200"}));
    EXPECT_FALSE(read_options({"-m", "x", "--crash-after-tokens", "0"}));
}

TEST(SimOptions, HasNoMisbehaviourByDefault) {
    const auto options = read_options({"-m", "x"});
    ASSERT_TRUE(options);
    EXPECT_EQ(options->answer_tokens, 64U);
    EXPECT_EQ(options->ttft_ms, 0U);
    EXPECT_FALSE(options->hang_after_tokens || options->crash_after_tokens || options->refuse);
}

}  // namespace
}  // namespace orch::engine_sim
