#include "control/gateway/answer_meter.hpp"

#include <gtest/gtest.h>

namespace orch::control::gateway {
namespace {

using std::chrono::milliseconds;

constexpr Instant kStart = Instant{} + std::chrono::hours(1);
constexpr engine::Event kRole{"", R"({"choices":[{"delta":{"role":"assistant","content":null}}]})"};
constexpr engine::Event kToken{"", R"({"choices":[{"delta":{"content":" day"}}]})"};
constexpr engine::Event kTimings{
    "", R"({"choices":[],"timings":{"cache_n":3,"prompt_n":4,"predicted_n":9}})"
};
constexpr engine::Event kDone{"", "[DONE]"};
constexpr engine::Event kError{"", R"({"error":{"code":500}})"};

TEST(AnswerMeter, TimesAStreamFromItsFirstTokenToItsEnd) {
    AnswerMeter meter;
    meter.event(kRole, kStart);
    EXPECT_FALSE(meter.first_token());
    meter.event(kToken, kStart + milliseconds(30));
    meter.event(kToken, kStart + milliseconds(50));
    EXPECT_FALSE(meter.decode_time());
    meter.event(kTimings, kStart + milliseconds(60));
    meter.event(kDone, kStart + milliseconds(70));
    EXPECT_EQ(meter.first_token(), kStart + milliseconds(30));
    EXPECT_EQ(meter.decode_time(), milliseconds(40));
    EXPECT_EQ(meter.tokens(), 2U);
    EXPECT_EQ(meter.usage(), (engine::Usage{7, 9}));
}

TEST(AnswerMeter, CountsItselfWhatTheEngineDoesNotCount) {
    AnswerMeter meter;
    meter.event(kToken, kStart);
    meter.event(kToken, kStart);
    EXPECT_EQ(meter.usage(), (engine::Usage{std::nullopt, 2}));
}

TEST(AnswerMeter, AStreamThatFailsHasNoDecodeTime) {
    AnswerMeter meter;
    meter.event(kToken, kStart);
    meter.event(kError, kStart + milliseconds(5));
    EXPECT_FALSE(meter.decode_time());
}

TEST(AnswerMeter, AWholeAnswerHasTokensAndNoTimes) {
    AnswerMeter meter;
    meter.whole(R"({"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":6}})");
    EXPECT_EQ(meter.usage(), (engine::Usage{5, 6}));
    EXPECT_FALSE(meter.first_token());
    EXPECT_FALSE(meter.decode_time());
    meter.whole(R"({"error":{"code":400}})");
    EXPECT_EQ(meter.usage().tokens_out, 6U);
}

}  // namespace
}  // namespace orch::control::gateway
