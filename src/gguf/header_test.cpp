#include "gguf/header.hpp"

#include "base/rng.hpp"

#include <gtest/gtest.h>

#include <string>

namespace orch::gguf {
namespace {

// Writes metadata the way model files hold it.
class FileBuilder {
public:
    FileBuilder& number(std::string_view key, std::uint32_t value) {
        return entry(key, 4).raw(value);
    }

    FileBuilder& text(std::string_view key, std::string_view value) {
        return entry(key, 8).string(value);
    }

    FileBuilder& numbers(std::string_view key, std::initializer_list<std::int32_t> values) {
        entry(key, 9).raw(std::uint32_t{5}).raw(std::uint64_t{values.size()});
        for (const std::int32_t value : values) {
            raw(value);
        }
        return *this;
    }

    FileBuilder& texts(std::string_view key, std::initializer_list<std::string_view> values) {
        entry(key, 9).raw(std::uint32_t{8}).raw(std::uint64_t{values.size()});
        for (const std::string_view value : values) {
            string(value);
        }
        return *this;
    }

    FileBuilder& entry(std::string_view key, std::uint32_t type) {
        ++entries_;
        return string(key).raw(type);
    }

    template <class T>
    FileBuilder& raw(T value) {
        body_.append(reinterpret_cast<const char*>(&value), sizeof value);
        return *this;
    }

    std::string bytes(std::uint32_t version = 3) const {
        FileBuilder head;
        head.body_ = "GGUF";
        head.raw(version).raw(std::uint64_t{7}).raw(entries_);
        return head.body_ + body_;
    }

private:
    FileBuilder& string(std::string_view text) {
        raw(std::uint64_t{text.size()});
        body_ += text;
        return *this;
    }

    std::uint64_t entries_ = 0;
    std::string body_;
};

Result<Header> read(std::string_view bytes) {
    return read_header(std::as_bytes(std::span(bytes.data(), bytes.size())));
}

FileBuilder small_model() {
    FileBuilder file;
    file.text("general.architecture", "llama")
        .text("general.name", "Tiny")
        .number("llama.context_length", 8192)
        .number("llama.block_count", 2)
        .number("llama.embedding_length", 128)
        .number("llama.attention.head_count", 4)
        .number("llama.attention.head_count_kv", 2);
    return file;
}

TEST(GgufHeader, ReadsWhatTheModelWasTrainedFor) {
    const auto header = read(small_model().bytes());
    ASSERT_TRUE(header);
    EXPECT_EQ(header->version, 3U);
    EXPECT_EQ(header->tensor_count, 7U);
    EXPECT_EQ(header->architecture, "llama");
    EXPECT_EQ(header->name, "Tiny");
    EXPECT_EQ(header->context_length, 8192U);
    EXPECT_EQ(header->block_count, 2U);
    EXPECT_EQ(header->embedding_length, 128U);
    EXPECT_EQ(header->head_count, 4U);
    EXPECT_EQ(header->head_count_kv, 2U);
    EXPECT_EQ(header->key_length, std::nullopt);
    EXPECT_TRUE(header->complete);
}

TEST(GgufHeader, FindsKeysThatPrecedeTheArchitecture) {
    FileBuilder file;
    file.number("qwen3.context_length", 40960).text("general.architecture", "qwen3");
    EXPECT_EQ(read(file.bytes())->context_length, 40960U);
}

TEST(GgufHeader, IgnoresKeysOfAnotherArchitecture) {
    FileBuilder file;
    file.text("general.architecture", "qwen3").number("llama.context_length", 4096);
    EXPECT_EQ(read(file.bytes())->context_length, std::nullopt);
}

TEST(GgufHeader, TakesTheLargestOfPerLayerNumbers) {
    FileBuilder file = small_model();
    file.numbers("llama.attention.head_count_kv", {0, 8, -1, 4});
    EXPECT_EQ(read(file.bytes())->head_count_kv, 8U);
}

TEST(GgufHeader, SkipsVocabulariesFloatsAndFlags) {
    FileBuilder file;
    file.texts("tokenizer.ggml.tokens", {"a", "", "bc"});
    file.entry("tokenizer.ggml.scores", 9).raw(std::uint32_t{6}).raw(std::uint64_t{2});
    file.raw(1.0F).raw(2.0F);
    file.entry("tokenizer.ggml.add_bos_token", 7).raw(true);
    file.entry("llama.rope.freq_base", 6).raw(10000.0F);
    file.text("general.architecture", "llama").number("llama.context_length", 512);
    const auto header = read(file.bytes());
    ASSERT_TRUE(header);
    EXPECT_EQ(header->context_length, 512U);
    EXPECT_TRUE(header->complete);
}

TEST(GgufHeader, KeepsWhatPrecedesTheEndOfTheBytes) {
    FileBuilder file = small_model();
    const std::size_t known = file.bytes().size();
    file.texts("tokenizer.ggml.tokens", {"one", "two", "three"});
    const std::string bytes = file.bytes();
    for (std::size_t length = known; length < bytes.size(); ++length) {
        const auto header = read(std::string_view(bytes).substr(0, length));
        ASSERT_TRUE(header) << length;
        EXPECT_EQ(header->context_length, 8192U);
        EXPECT_FALSE(header->complete) << length;
    }
}

template <class T>
std::optional<std::uint64_t> trained_ctx_written_as(std::uint32_t type, T value) {
    FileBuilder file;
    file.text("general.architecture", "llama").entry("llama.context_length", type).raw(value);
    return read(file.bytes())->context_length;
}

TEST(GgufHeader, ReadsIntegersOfEveryWidth) {
    EXPECT_EQ(trained_ctx_written_as(0, std::uint8_t{200}), 200U);
    EXPECT_EQ(trained_ctx_written_as(1, std::int8_t{100}), 100U);
    EXPECT_EQ(trained_ctx_written_as(2, std::uint16_t{40'000}), 40'000U);
    EXPECT_EQ(trained_ctx_written_as(3, std::int16_t{30'000}), 30'000U);
    EXPECT_EQ(trained_ctx_written_as(5, std::int32_t{131'072}), 131'072U);
    EXPECT_EQ(trained_ctx_written_as(10, std::uint64_t{1} << 40), std::uint64_t{1} << 40);
    EXPECT_EQ(trained_ctx_written_as(11, std::int64_t{8192}), 8192U);
    EXPECT_EQ(trained_ctx_written_as(11, std::int64_t{-1}), 0U);
}

TEST(GgufHeader, TakesNoFloatForANumberOfTokens) {
    EXPECT_EQ(trained_ctx_written_as(6, 8192.0F), std::nullopt);
    EXPECT_EQ(trained_ctx_written_as(12, 8192.0), std::nullopt);
}

TEST(GgufHeader, ReadsTheOlderVersionToo) {
    EXPECT_EQ(read(small_model().bytes(2))->context_length, 8192U);
}

TEST(GgufHeader, TheLastOfRepeatedKeysCounts) {
    FileBuilder file = small_model();
    file.number("llama.context_length", 4096);
    EXPECT_EQ(read(file.bytes())->context_length, 4096U);
}

TEST(GgufHeader, EveryCutIsEitherRefusedOrIncomplete) {
    const std::string bytes = small_model().numbers("x", {1, 2, 3}).bytes();
    for (std::size_t length = 0; length < bytes.size(); ++length) {
        const auto header = read(std::string_view(bytes).substr(0, length));
        EXPECT_EQ(header.has_value(), length >= 24) << length;
        EXPECT_FALSE(header && header->complete) << length;
    }
    EXPECT_TRUE(read(bytes)->complete);
}

TEST(GgufHeader, RefusesWhatIsNoModelFile) {
    EXPECT_EQ(read("").error().message, "not a GGUF file");
    EXPECT_FALSE(read("GGUF"));
    EXPECT_FALSE(read("<!doctype html><title>404 Not Found</title>"));
    EXPECT_EQ(read(small_model().bytes(1)).error().code, Errc::invalid_params);
    EXPECT_FALSE(read(small_model().bytes(0x03000000)));
}

TEST(GgufHeader, RefusesTypesThatDoNotExist) {
    FileBuilder scalar;
    scalar.entry("general.architecture", 13).raw(std::uint64_t{0});
    EXPECT_FALSE(read(scalar.bytes()));
    FileBuilder nested;
    nested.entry("x", 9).raw(std::uint32_t{9}).raw(std::uint64_t{1});
    EXPECT_FALSE(read(nested.bytes()));
}

TEST(GgufHeader, BelievesNoLengthBeyondTheBytes) {
    for (const std::uint32_t element : {0U, 4U, 6U, 8U, 12U}) {
        FileBuilder file;
        file.entry("x", 9).raw(element).raw(std::uint64_t{1} << 62);
        const auto header = read(file.bytes());
        ASSERT_TRUE(header) << element;
        EXPECT_FALSE(header->complete);
    }
}

TEST(GgufHeader, SurvivesDamagedBytes) {
    const std::string good = small_model().texts("tokenizer.ggml.tokens", {"a", "b"}).bytes();
    Rng rng(17);
    for (int round = 0; round < 20'000; ++round) {
        std::string bad = good;
        for (std::uint64_t flips = 1 + rng.below(4); flips > 0; --flips) {
            bad[rng.below(bad.size())] = static_cast<char>(rng.below(256));
        }
        bad.resize(rng.below(bad.size() + 1));
        const auto header = read(bad);
        EXPECT_TRUE(header || !header.error().message.empty());
    }
}

}  // namespace
}  // namespace orch::gguf
