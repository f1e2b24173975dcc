#include "control/gateway/answer_probe.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace orch::control::gateway {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;

constexpr Instant kStart = Instant{} + std::chrono::hours(1);

class AnswerProbeTest : public testing::Test {
public:
    AnswerProbeTest() {
        pool.key = {NodeId("n1"), PoolId("chat")};
        pool.engine_version = "b1";
    }

    void answered(std::size_t edge, const AnswerMeter& meter) {
        probe.answered(edge, pool, "r0", "interactive", meter, kStart);
    }

    static AnswerMeter stream() {
        AnswerMeter meter;
        meter.event({"", R"({"choices":[{"delta":{"content":"a"}}]})"}, kStart + milliseconds(120));
        meter.event(
            {"", R"({"timings":{"prompt_n":4,"predicted_n":9}})"}, kStart + milliseconds(200)
        );
        meter.event({"", "[DONE]"}, kStart + milliseconds(420));
        return meter;
    }

    view::PoolBlock pool;
    metrics::Registry registry;
    AnswerProbe probe{registry, 2};
};

const std::string kOf = R"({node_id="n1",engine="llamacpp",engine_version="b1",pool_id="chat",)";

TEST_F(AnswerProbeTest, TimesStreamsAndSumsTheEdges) {
    answered(0, stream());
    answered(1, stream());
    const std::string text = registry.expose();
    const std::string bucket = kOf + R"(priority="interactive",le=)";
    EXPECT_THAT(text, HasSubstr("latency_first_token_ms_bucket" + bucket + "\"100\"} 0\n"));
    EXPECT_THAT(text, HasSubstr("latency_first_token_ms_bucket" + bucket + "\"150\"} 2\n"));
    EXPECT_THAT(text, HasSubstr("latency_decode_ms_bucket" + bucket + "\"250\"} 0\n"));
    EXPECT_THAT(text, HasSubstr("latency_decode_ms_bucket" + bucket + "\"500\"} 2\n"));
    EXPECT_THAT(text, HasSubstr("tokens_in_total" + kOf + R"(replica_id="r0"} 8)"));
    EXPECT_THAT(text, HasSubstr("tokens_out_total" + kOf + R"(replica_id="r0"} 18)"));
}

TEST_F(AnswerProbeTest, AWholeAnswerCountsItsTokensOnly) {
    AnswerMeter meter;
    meter.whole(R"({"usage":{"prompt_tokens":5,"completion_tokens":6}})");
    answered(0, meter);
    EXPECT_THAT(registry.expose(), HasSubstr("tokens_in_total" + kOf + R"(replica_id="r0"} 5)"));
    EXPECT_THAT(registry.expose(), Not(HasSubstr("latency_first_token_ms_count")));
    EXPECT_THAT(registry.expose(), Not(HasSubstr("latency_decode_ms_count")));
}

TEST_F(AnswerProbeTest, AnErrorAnswerCountsNothing) {
    AnswerMeter meter;
    meter.whole(R"({"error":{"code":400}})");
    answered(0, meter);
    EXPECT_THAT(registry.expose(), Not(HasSubstr("tokens_in_total{")));
}

}  // namespace
}  // namespace orch::control::gateway
