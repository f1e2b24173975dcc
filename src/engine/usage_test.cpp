#include "engine/usage.hpp"

#include "engine/sse.hpp"
#include "engine/wire_recording.hpp"

#include <gtest/gtest.h>

#include <string>

namespace orch::engine {
namespace {

Usage of_stream(const std::string& body) {
    Usage usage;
    EventReader reader(body);
    while (const auto event = reader.next()) {
        usage.update(read_usage(event->data));
    }
    return usage;
}

TEST(Usage, IsReadFromAWholeAnswer) {
    EXPECT_EQ(read_usage(load_recording("chat").body), (Usage{25, 8}));
    EXPECT_EQ(read_usage(load_recording("embeddings").body).tokens_out, std::nullopt);
    EXPECT_EQ(read_usage(load_recording("err_bad_json").body), Usage{});
}

TEST(Usage, IsReadFromTheEndOfAStream) {
    // With `usage` because it was asked for, and without: llama-server tells its timings then.
    EXPECT_EQ(of_stream(load_recording("chat_stream_usage").body), (Usage{25, 4}));
    EXPECT_EQ(of_stream(load_recording("chat_stream").body), (Usage{25, 4}));
}

TEST(Usage, TakesTheLastWordOfAStream) {
    EXPECT_EQ(
        of_stream("data: {\"message\":{\"usage\":{\"input_tokens\":9,\"output_tokens\":1}}}\n\n"
                  "data: {\"usage\": {\"output_tokens\": 7}}\n\n"),
        (Usage{9, 7})
    );
}

TEST(Usage, IsNotFoundInGeneratedTextOrNulls) {
    EXPECT_EQ(read_usage(R"({"content":"\"usage\":{\"prompt_tokens\":5}","usage":null})"), Usage{});
    EXPECT_EQ(read_usage(R"({"usage":{"prompt_tokens":"many","completion_tokens":-1}})"), Usage{});
    EXPECT_EQ(read_usage(""), Usage{});
}

}  // namespace
}  // namespace orch::engine
