#include "engine/chunk_writer.hpp"

#include "engine/sse.hpp"
#include "engine/wire_recording.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace orch::engine {
namespace {

std::vector<std::string> recorded(const char* name) {
    const std::string body = load_recording(name).body;
    EventReader reader(body);
    std::vector<std::string> events;
    while (const auto event = reader.next()) {
        events.emplace_back(event->data);
    }
    return events;
}

std::string as_event(const std::string& data) {
    return "data: " + data + "\n\n";
}

// Without the engine's own figures, which differ from run to run.
std::string without_details(std::string event) {
    for (const char* const key : {",\"prompt_tokens_details\":", ",\"timings\":"}) {
        const std::size_t at = event.find(key);
        if (at != std::string::npos) {
            event.erase(at, event.find('}', at) + 1 - at);
        }
    }
    return event;
}

TEST(ChunkWriter, WritesChatEventsAsTheEngineDoes) {
    const auto events = recorded("chat_stream_usage");
    const auto writer = ChunkWriter::make(StreamShape::chat, events.front());
    ASSERT_TRUE(writer);
    ASSERT_EQ(events.size(), 8U);
    EXPECT_EQ(writer->text(" net"), as_event(events[2]));
    EXPECT_EQ(
        writer->end(true, {25, 4}, true),
        as_event(events[5]) + without_details(as_event(events[6])) + "data: [DONE]\n\n"
    );
    EXPECT_EQ(writer->end(true, {25, 4}, false), as_event(events[5]) + "data: [DONE]\n\n");
    EXPECT_TRUE(writer->end(false, {25, 4}, false).contains(R"("finish_reason":"stop")"));
}

TEST(ChunkWriter, WritesTextEventsAsTheEngineDoes) {
    const auto events = recorded("v1_completions_stream");
    const auto writer = ChunkWriter::make(StreamShape::text, events.front());
    ASSERT_TRUE(writer);
    // The engine writes the id behind the usage.
    EXPECT_EQ(writer->text(" jar"), as_event(events[1]));
    const std::string end = writer->end(true, {6, 3}, false);
    EXPECT_TRUE(end.contains(R"("finish_reason":"length")")) << end;
    EXPECT_TRUE(end.contains(R"("usage":{"completion_tokens":3,"prompt_tokens":6,"total_tokens":9})"
    )) << end;
    EXPECT_TRUE(end.ends_with("data: [DONE]\n\n"));
}

TEST(ChunkWriter, TextIsQuoted) {
    const auto writer = ChunkWriter::make(StreamShape::chat, R"({"id":"x","choices":[]})");
    EXPECT_TRUE(writer->text("a\"\n\xC3\xB6").contains("\"a\\\"\\n\xC3\xB6\""));
}

TEST(ChunkWriter, AnEventThatIsNoObjectIsAnError) {
    EXPECT_FALSE(ChunkWriter::make(StreamShape::chat, "[DONE]"));
    EXPECT_FALSE(ChunkWriter::make(StreamShape::chat, "5"));
    const auto bare = ChunkWriter::make(StreamShape::chat, "{}");
    ASSERT_TRUE(bare);
    EXPECT_TRUE(bare->text("a").ends_with("}]}\n\n")) << bare->text("a");
}

}  // namespace
}  // namespace orch::engine
