#include "engine/sse.hpp"

#include "engine/wire_recording.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace orch::engine {
namespace {

using NamedData = std::vector<std::pair<std::string, std::string>>;

NamedData events_of(std::string_view block) {
    NamedData events;
    EventReader reader(block);
    while (const auto event = reader.next()) {
        events.emplace_back(event->name, event->data);
    }
    return events;
}

// The positions behind blank lines of an LF stream.
std::vector<std::size_t> borders_of(std::string_view body) {
    std::vector<std::size_t> borders;
    for (std::size_t at = body.find("\n\n"); at != std::string_view::npos;
         at = body.find("\n\n", at + 2)) {
        borders.push_back(at + 2);
    }
    return borders;
}

std::string with_crlf(std::string_view text) {
    std::string out;
    for (const char c : text) {
        out += c == '\n' ? "\r\n" : std::string(1, c);
    }
    return out;
}

TEST(EventSplitter, FindsTheSameBordersWhereverARecordingIsSplit) {
    // A splitter's memory is its state alone, so a few events behind the cut prove the rest.
    constexpr std::size_t kWindow = 2048;
    const auto names = stream_recordings();
    ASSERT_EQ(names.size(), 16U);
    for (const std::string& name : names) {
        const std::string body = load_recording(name).body;
        const auto borders = borders_of(body);
        EventSplitter before;
        std::size_t passed = 0;
        for (std::size_t cut = 1; cut <= body.size(); ++cut) {
            const std::size_t whole = before.feed(std::string_view(body).substr(cut - 1, 1));
            const bool at_border = passed < borders.size() && borders[passed] == cut;
            passed += at_border ? 1 : 0;
            ASSERT_EQ(whole, at_border ? 1U : 0U) << name << " at " << cut;
            EventSplitter after = before;
            const std::string_view rest = std::string_view(body).substr(cut, kWindow);
            const std::size_t last = after.feed(rest) + cut;
            const auto next = std::ranges::upper_bound(borders, cut + rest.size());
            const std::size_t expected = next == borders.begin() ? cut : std::max(cut, *(next - 1));
            ASSERT_EQ(last, expected) << name << " behind " << cut;
        }
    }
}

TEST(EventSplitter, TreatsCrlfLikeLf) {
    for (const std::string& name : stream_recordings()) {
        const std::string body = load_recording(name).body;
        const std::string crlf = with_crlf(body);
        EXPECT_EQ(events_of(crlf), events_of(body)) << name;
        EventSplitter splitter;
        std::size_t events = 0;
        for (const char c : crlf) {
            events += splitter.feed({&c, 1});
        }
        EXPECT_EQ(events, borders_of(body).size()) << name;
    }
}

TEST(EventSplitter, CountsFromTheBeginningOfThePieceItGets) {
    EventSplitter splitter;
    EXPECT_EQ(splitter.feed("data: a"), 0U);
    EXPECT_EQ(splitter.feed("\n\ndata: b\n"), 2U);
    EXPECT_EQ(splitter.feed("\n"), 1U);
    EXPECT_EQ(splitter.feed("data: c\n\ndata: d\n\nda"), 18U);
}

TEST(EventSplitter, DoesNotTakeACarriageReturnInsideALineForItsEnd) {
    EventSplitter splitter;
    EXPECT_EQ(splitter.feed("data: a\r\rb\n"), 0U);
    EXPECT_EQ(splitter.feed("\rdata: b\n"), 0U);
    EXPECT_EQ(splitter.feed("\r\n"), 2U);
}

TEST(EventBuffer, PassesEveryByteOnceAndOnlyWholeEvents) {
    for (const std::string& name : stream_recordings()) {
        const std::string body = load_recording(name).body;
        for (const std::size_t piece : {1U, 2U, 3U, 7U, 100U, 333U, 4096U}) {
            EventBuffer buffer;
            std::string passed;
            NamedData events;
            for (std::size_t at = 0; at < body.size(); at += piece) {
                const std::string_view whole =
                    buffer.feed(std::string_view(body).substr(at, piece));
                ASSERT_TRUE(whole.empty() || whole.ends_with("\n\n"));
                passed += whole;
                for (auto& event : events_of(whole)) {
                    events.push_back(std::move(event));
                }
            }
            EXPECT_EQ(passed + std::string(buffer.held()), body) << name;
            EXPECT_EQ(events, events_of(body)) << name << " in pieces of " << piece;
        }
    }
}

TEST(EventBuffer, CopiesNothingWhileNothingIsHeld) {
    EventBuffer buffer;
    const std::string bytes = "data: a\n\n";
    EXPECT_EQ(buffer.feed(bytes).data(), bytes.data());
    EXPECT_TRUE(buffer.held().empty());
}

TEST(EventReader, ReadsNamesAndDataAndSkipsComments) {
    const NamedData expected{{"", "one"}, {"delta", "two"}, {"", "three\nfour"}};
    EXPECT_EQ(
        events_of(":\n\ndata: one\n\n: hi\nevent: delta\nid: 7\ndata:two\n\n:\n\n"
                  "data: three\ndata: four\n\nevent: empty\n\n"),
        expected
    );
}

TEST(EventReader, KeepsAllLinesOfDataOfManyLines) {
    const NamedData expected{{"", "a\nb\nc"}};
    EXPECT_EQ(events_of("data: a\ndata: b\ndata: c\n\n"), expected);
}

TEST(EventReader, FindsTheDataEventsOfEveryRecording) {
    const std::map<std::string, std::size_t> expected{
        {"chat_stream", 7},
        {"chat_stream_ping", 5},
        {"chat_stream_usage", 8},
        {"chat_tool_call_stream", 203},
        {"completions_stream_random_utf8", 341},
        {"v1_messages_anthropic_stream", 8},
        {"v1_responses_stream", 10},
        {"stream_resume", 603},
    };
    for (const auto& [name, count] : expected) {
        EXPECT_EQ(events_of(load_recording(name).body).size(), count) << name;
    }
}

TEST(Tokens, AreCountedAsTheEngineCountsThem) {
    const std::map<std::string, std::size_t> expected{
        {"chat_stream", 4},
        {"chat_stream_usage", 4},
        {"chat_stream_timings", 2},
        {"chat_stream_progress", 2},
        {"v1_completions_stream", 3},
        {"completion_native_stream", 3},
        {"v1_messages_anthropic_stream", 3},
        {"v1_responses_stream", 2},
        {"stream_resume", 600},
        {"chat_tool_call_stream", 200},
    };
    for (const auto& [name, count] : expected) {
        EXPECT_EQ(count_tokens(load_recording(name).body), count) << name;
    }
}

TEST(Tokens, AreRecognisedInOtherEnginesSpelling) {
    EXPECT_TRUE(is_token({"", R"({"choices": [{"delta": {"content": "a"}}]})"}));
    EXPECT_TRUE(is_token({"", R"({"choices":[{"delta":{"reasoning_content":"a"}}]})"}));
    EXPECT_TRUE(is_token({"", R"({"choices":[{"delta":{"content":null,"tool_calls":
        [{"index":0,"function":{"arguments":"{"}}]}}]})"}));
    EXPECT_FALSE(is_token({"", R"({"choices":[{"delta":{"role":"assistant","content":""}}]})"}));
    EXPECT_FALSE(is_token({"", R"({"choices":[],"usage":{"completion_tokens":4}})"}));
    EXPECT_FALSE(is_token({"", "[DONE]"}));
}

TEST(Tokens, AreNotConjuredByGeneratedTextThatLooksLikeAKey) {
    EXPECT_FALSE(is_token({"", R"({"note":"\"content\":\"x\"","delta":{"content":""}})"}));
}

TEST(Terminals, EndEveryStreamThatWasNotCut) {
    for (const std::string& name : stream_recordings()) {
        const WireMessage recording = load_recording(name);
        std::size_t terminals = 0;
        bool last = false;
        EventReader reader(recording.body);
        while (const auto event = reader.next()) {
            last = is_terminal(*event);
            terminals += last ? 1 : 0;
        }
        const bool cut = name.starts_with("stream_cut");
        EXPECT_EQ(terminals, cut ? 0U : 1U) << name;
        EXPECT_EQ(last, !cut) << name;
        EXPECT_EQ(recording.complete, !cut) << name;
    }
}

TEST(Terminals, AreDoneAndErrors) {
    EXPECT_TRUE(is_done("[DONE]"));
    EXPECT_FALSE(is_done("[DONE] "));
    EXPECT_TRUE(is_error(R"({"error":{"code":500}})"));
    EXPECT_TRUE(is_error(R"( { "error": "text"})"));
    EXPECT_FALSE(is_error(R"({"content":"\"error\""})"));
    EXPECT_FALSE(is_terminal({"", R"({"choices":[{"finish_reason":"stop","delta":{}}]})"}));
    EXPECT_FALSE(is_terminal({"", R"({"content":"x","stop":false})"}));
}

TEST(Terminals, IncludeTheErrorEventOfAFullContext) {
    NamedData events = events_of(load_recording("stream_kv_exhausted").body);
    ASSERT_FALSE(events.empty());
    EXPECT_TRUE(is_error(events.back().second));
}

}  // namespace
}  // namespace orch::engine
