#include "base/log.hpp"

#include "base/clock_fake.hpp"
#include "base/json.hpp"
#include "base/log_capture.hpp"
#include "base/rate_limited_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <limits>
#include <thread>
#include <vector>

namespace orch {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Logs : public testing::Test {
protected:
    FakeClock clock;
    CapturedLog captured;
    LogSink sink{{LogLevel::info, LogFormat::json, "n1", "m1"}, clock, captured};
    LogSink bare{{LogLevel::info, LogFormat::json, {}, {}}, clock, captured};
    Logger log{sink, "registry"};
};

TEST_F(Logs, AreOneJsonObjectALine) {
    log.info("the pool is ready", {{"pool", PoolId("chat")}, {"pid", 12}, {"load", 0.5}});
    EXPECT_THAT(
        captured.lines(),
        ElementsAre("{\"ts\":\"2025-10-01T12:00:00.123Z\",\"level\":\"info\",\"logger\":"
                    "\"registry\",\"msg\":\"the pool is ready\",\"node_id\":\"n1\","
                    "\"machine_id\":\"m1\",\"pool\":\"chat\",\"pid\":12,\"load\":0.5}\n")
    );
}

TEST_F(Logs, CarryTheRequestTheyBelongTo) {
    log.for_request(CorrelationId("c-1"), "abcd").warn("slow");
    EXPECT_EQ(captured.count(R"("correlation_id":"c-1","trace_id":"abcd")"), 1U);
    log.warn("slow");
    EXPECT_EQ(captured.count("correlation_id"), 1U);
}

TEST_F(Logs, LeaveOutIdsThatAreNotKnown) {
    Logger(bare, "x").info("hello");
    EXPECT_THAT(captured.lines(), ElementsAre(testing::EndsWith("\"msg\":\"hello\"}\n")));
}

TEST_F(Logs, NameTheNodeTheySpeakOfUnlessTheyAreANodesOwn) {
    Logger(bare, "x").info("silent", {{"node_id", "n7"}, {"machine_id", "m7"}});
    EXPECT_EQ(captured.count(R"("node_id":"n7","machine_id":"m7"})"), 1U);
    log.info("silent", {{"node_id", "n7"}, {"correlation_id", "c-2"}});
    EXPECT_EQ(captured.count(R"("node_id_":"n7","correlation_id":"c-2"})"), 1U);
    log.for_request(CorrelationId("c-1"), "t").info("x", {{"correlation_id", "c-2"}});
    EXPECT_EQ(captured.count(R"("correlation_id_":"c-2"})"), 1U);
}

TEST_F(Logs, TakeEveryKindOfField) {
    const std::string text = "t";
    log.info(
        "x",
        {{"s", text},
         {"c", "lit"},
         {"v", std::string_view("view")},
         {"b", true},
         {"u", std::numeric_limits<std::uint64_t>::max()},
         {"i", std::numeric_limits<std::int64_t>::min()},
         {"n", std::numeric_limits<double>::quiet_NaN()}}
    );
    EXPECT_EQ(
        captured.count("\"s\":\"t\",\"c\":\"lit\",\"v\":\"view\",\"b\":true,\"u\":"
                       "18446744073709551615,\"i\":-9223372036854775808,\"n\":\"nan\"}"),
        1U
    );
}

TEST_F(Logs, StayValidJsonWhateverTheTextHolds) {
    const std::string nasty = "a\"b\\c\n\r\t\x01\x7F\xFF\xC3\xA9";
    log.info(nasty, {{nasty, nasty}, {"level", "mine"}});
    const auto lines = captured.lines();
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_EQ(lines[0].find('\n'), lines[0].size() - 1);
    const auto parsed = json::parse(lines[0]);
    ASSERT_TRUE(parsed) << lines[0];
    EXPECT_EQ(parsed->at("msg").as_string(), "a\"b\\c\n\r\t\x01\x7F\xEF\xBF\xBD\xC3\xA9");
    EXPECT_EQ(parsed->at("level").as_string(), "info");
    EXPECT_EQ(parsed->at("level_").as_string(), "mine");
}

TEST_F(Logs, AreReadableAsText) {
    sink.set_format(LogFormat::text);
    log.info("the pool\nis \"ready\"", {{"pool", "chat"}, {"why", "two words"}, {"n", 1}});
    log.for_request(CorrelationId("c-1"), "t").error("gone", {{"empty", ""}});
    EXPECT_THAT(
        captured.lines(),
        ElementsAre(
            "2025-10-01T12:00:00.123Z info  registry: the pool\\nis \"ready\" pool=chat "
            "why=\"two words\" n=1\n",
            "2025-10-01T12:00:00.123Z error registry: gone empty=\"\" correlation_id=c-1\n"
        )
    );
}

TEST_F(Logs, DropWhatIsBelowTheLevelThatCanChangeLive) {
    log.trace("a");
    log.debug("b");
    EXPECT_FALSE(log.at(LogLevel::debug));
    EXPECT_THAT(captured.lines(), IsEmpty());
    sink.set_level(LogLevel::trace);
    EXPECT_TRUE(log.at(LogLevel::trace));
    log.trace("a");
    log.debug("b");
    sink.set_level(LogLevel::error);
    log.warn("c");
    log.error("d");
    EXPECT_EQ(captured.lines().size(), 3U);
    EXPECT_EQ(sink.level(), LogLevel::error);
}

TEST(LogNames, GoToTextAndBack) {
    for (const auto* const text : {"trace", "debug", "info", "warn", "error"}) {
        ASSERT_TRUE(log_level_from(text)) << text;
        EXPECT_EQ(to_string(*log_level_from(text)), text);
    }
    for (const auto* const text : {"json", "text"}) {
        ASSERT_TRUE(log_format_from(text)) << text;
        EXPECT_EQ(to_string(*log_format_from(text)), text);
    }
    EXPECT_FALSE(log_level_from("INFO"));
    EXPECT_FALSE(log_format_from(""));
}

TEST_F(Logs, OfRepeatedFaultsAreOnePerPeriodAndSayHowManyWereLeftOut) {
    RateLimitedLog limited(log, clock, seconds(10));
    limited.warn("n2", "unreachable", {{"node", "n2"}});
    limited.warn("n2", "unreachable", {{"node", "n2"}});
    limited.warn("n3", "unreachable", {{"node", "n3"}});
    clock.advance(seconds(9));
    limited.warn("n2", "unreachable", {{"node", "n2"}});
    EXPECT_EQ(captured.lines().size(), 2U);
    clock.advance(seconds(1));
    limited.warn("n2", "unreachable", {{"node", "n2"}});
    EXPECT_EQ(captured.lines().size(), 3U);
    EXPECT_THAT(captured.lines()[2], HasSubstr("\"node\":\"n2\",\"suppressed\":2}"));
    clock.advance(seconds(10));
    limited.error("n2", "unreachable", {});
    EXPECT_EQ(captured.count("suppressed"), 1U);
    EXPECT_EQ(captured.count("\"level\":\"error\""), 1U);
}

TEST_F(Logs, OfAFaultThatWasOverComeAtOnce) {
    RateLimitedLog limited(log, clock, seconds(10));
    limited.warn("n2", "unreachable", {});
    limited.forget("n2");
    limited.forget("unknown");
    limited.warn("n2", "unreachable", {});
    EXPECT_EQ(captured.lines().size(), 2U);
}

TEST_F(Logs, OfEndlessKeysAllComeThrough) {
    RateLimitedLog limited(log, clock, seconds(10));
    for (int i = 0; i < 5000; ++i) {
        limited.warn(std::to_string(i), "x", {});
    }
    EXPECT_EQ(captured.lines().size(), 5000U);
}

// Standard error becomes a pipe for a while.
class RedirectedStderr {
public:
    RedirectedStderr() : saved_(dup(STDERR_FILENO)) {
        EXPECT_EQ(pipe(ends_.data()), 0);
        dup2(ends_[1], STDERR_FILENO);
        close(ends_[1]);
    }

    RedirectedStderr(const RedirectedStderr&) = delete;
    RedirectedStderr& operator=(const RedirectedStderr&) = delete;

    ~RedirectedStderr() { close(ends_[0]); }

    void restore() {
        dup2(saved_, STDERR_FILENO);
        close(saved_);
    }

    std::string rest() const {
        std::string text;
        std::array<char, 4096> piece{};
        for (ssize_t count = 0; (count = ::read(ends_[0], piece.data(), piece.size())) > 0;) {
            text.append(piece.data(), static_cast<std::size_t>(count));
        }
        return text;
    }

private:
    int saved_;
    std::array<int, 2> ends_{};
};

TEST(StderrOutput, NeverMixesTheLinesOfThreads) {
    constexpr int kThreads = 4;
    constexpr int kLines = 100;
    const SystemClock clock;
    RedirectedStderr redirected;
    {
        const auto output = make_stderr_output();
        LogSink sink({}, clock, *output);
        const Logger log(sink, "edge");
        std::vector<std::jthread> edges;
        for (int i = 0; i < kThreads; ++i) {
            edges.emplace_back([log, i] {
                for (int line = 0; line < kLines; ++line) {
                    log.info("x", {{"edge", i}, {"line", line}});
                }
            });
        }
    }
    redirected.restore();
    const std::string text = redirected.rest();
    std::size_t lines = 0;
    std::size_t start = 0;
    for (std::size_t end = 0; (end = text.find('\n', start)) != std::string::npos;
         start = end + 1) {
        EXPECT_TRUE(json::parse(text.substr(start, end - start)));
        ++lines;
    }
    EXPECT_EQ(lines, static_cast<std::size_t>(kThreads * kLines));
    EXPECT_EQ(start, text.size());
}

}  // namespace
}  // namespace orch
