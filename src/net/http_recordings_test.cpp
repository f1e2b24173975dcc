#include "net/http_parser.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace orch::net {
namespace {

namespace fs = std::filesystem;

const fs::path kRecordings = "tests/data/llama-server-wire";
constexpr std::size_t kSmall = 1600;  // bytes; every two-way split of a larger one takes too long

bool is_request(const fs::path& file) {
    return file.string().ends_with(".request.http");
}

std::string text_of(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<fs::path> recordings() {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(kRecordings)) {
        if (entry.path().extension() == ".http") {
            files.push_back(entry.path());
        }
    }
    std::ranges::sort(files);
    return files;
}

// What one reading of a recording found, in words that can be compared.
struct Reading {
    std::string head;
    std::string body;
    bool complete = false;
    bool failed = false;
    std::size_t used = 0;

    friend bool operator==(const Reading&, const Reading&) = default;
};

class Reader {
public:
    explicit Reader(const fs::path& file)
        : request_(is_request(file)),
          parser_(request_ ? HttpParser::Kind::request : HttpParser::Kind::response) {
        if (file.filename().string().starts_with("head_")) {
            parser_.expect_no_body();
        }
    }

    // All of `piece`, or up to the end of the message.
    void feed(std::string_view piece) {
        while (!piece.empty() && !reading_.failed && !parser_.message_done()) {
            const auto used = parser_.feed(piece);
            reading_.failed = !used.has_value();
            if (used) {
                for (const std::string_view part : parser_.body()) {
                    reading_.body += part;
                }
                piece.remove_prefix(*used);
                reading_.used += *used;
            }
        }
        // The end of an empty body needs no byte.
        reading_.failed = reading_.failed || !parser_.feed({}).has_value();
    }

    Reading end() {
        reading_.complete = parser_.message_done() || parser_.finish();
        if (parser_.head_done()) {
            if (request_) {
                describe(parser_.request().target, parser_.request().headers);
            } else {
                describe(std::to_string(parser_.response().status), parser_.response().headers);
            }
        }
        return std::move(reading_);
    }

private:
    void describe(const std::string& start, const Headers& headers) {
        reading_.head = start + "\n";
        for (const auto& [name, value] : headers.fields()) {
            reading_.head.append(name).append("=").append(value).append("\n");
        }
    }

    bool request_;
    HttpParser parser_;
    Reading reading_;
};

Reading read_in_pieces(
    const fs::path& file, std::string_view text, std::size_t first, std::size_t step
) {
    Reader reader(file);
    reader.feed(text.substr(0, first));
    for (std::size_t at = first; at < text.size(); at += step) {
        reader.feed(text.substr(at, step));
    }
    return reader.end();
}

TEST(Recordings, AreReadToTheirEnd) {
    std::size_t count = 0;
    for (const fs::path& file : recordings()) {
        const std::string text = text_of(file);
        const Reading whole = read_in_pieces(file, text, text.size(), 1);
        const bool cut = file.filename().string().starts_with("stream_cut_");
        EXPECT_FALSE(whole.failed) << file;
        EXPECT_EQ(whole.complete, !cut) << file;
        EXPECT_EQ(whole.used, text.size()) << file;
        EXPECT_FALSE(whole.head.empty()) << file;
        ++count;
    }
    EXPECT_GT(count, 20U);
}

TEST(Recordings, ReadTheSameByteByByte) {
    for (const fs::path& file : recordings()) {
        const std::string text = text_of(file);
        const Reading whole = read_in_pieces(file, text, text.size(), 1);
        EXPECT_TRUE(read_in_pieces(file, text, 0, 1) == whole) << file;
        EXPECT_TRUE(read_in_pieces(file, text, 0, 7) == whole) << file;
    }
}

TEST(Recordings, ReadTheSameInEveryTwoWaySplit) {
    for (const fs::path& file : recordings()) {
        const std::string text = text_of(file);
        if (text.size() > kSmall) {
            continue;
        }
        const Reading whole = read_in_pieces(file, text, text.size(), 1);
        for (std::size_t split = 1; split < text.size(); ++split) {
            ASSERT_TRUE(read_in_pieces(file, text, split, text.size()) == whole)
                << file << " split at " << split;
        }
    }
}

TEST(Recordings, WhatTheyHoldIsWhatWasFound) {
    const auto read = [](const char* name) {
        const fs::path file = kRecordings / name;
        const std::string text = text_of(file);
        return read_in_pieces(file, text, text.size(), 1);
    };
    EXPECT_EQ(read("http10.request.http").head, "/health\n");
    EXPECT_EQ(read("chunked_request.request.http").body, R"({"content":"abc"})");
    EXPECT_EQ(read("expect_100.http").body, R"({"tokens":[326,327,328]})");
    EXPECT_EQ(read("stream_delete.http").body, "");
    const Reading stream = read("chat_stream.http");
    EXPECT_TRUE(stream.head.contains("Content-Type=text/event-stream")) << stream.head;
    EXPECT_TRUE(stream.body.starts_with("data: {")) << stream.body;
    EXPECT_TRUE(stream.body.ends_with("data: [DONE]\n\n")) << stream.body;
}

}  // namespace
}  // namespace orch::net
