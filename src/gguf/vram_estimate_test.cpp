#include "gguf/vram_estimate.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace orch::gguf {
namespace {

constexpr Bytes kBesides = kGiB;  // on each GPU, beside weights and cache
constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();

// Llama 2 7B: as many key/value heads as heads, of 4096 / 32 = 128 floats.
Header llama2_7b() {
    Header header;
    header.block_count = 32;
    header.embedding_length = 4096;
    header.head_count = 32;
    return header;
}

// Its Q4_K_M file.
constexpr Bytes kFile = 4'081'004'224;

// 32 layers * 32 heads * (128 + 128) floats * 2 bytes = 512 KiB a token; 4096 tokens: 2 GiB.
constexpr Bytes kCache = 2 * kGiB;

EngineShape shape_of(std::uint64_t ctx, std::uint64_t slots) {
    EngineShape shape;
    shape.file_bytes = kFile;
    shape.ctx = ctx;
    shape.slots = slots;
    return shape;
}

TEST(VramEstimate, IsTheWeightsAndTheCacheOfASevenBillionModel) {
    EXPECT_EQ(estimate_vram(llama2_7b(), shape_of(4096, 1)), kFile + kCache + kBesides);
    EXPECT_EQ(estimate_vram(llama2_7b(), shape_of(4096, 4)), kFile + 4 * kCache + kBesides);
}

TEST(VramEstimate, GroupedHeadsShareACache) {
    Header header = llama2_7b();  // with the 8 key/value heads of Llama 3 8B
    header.head_count_kv = 8;
    EXPECT_EQ(estimate_vram(header, shape_of(8192, 4)), kFile + 4 * kGiB + kBesides);
}

TEST(VramEstimate, HeadsMayBeOfAnotherLengthThanTheirShareOfTheModel) {
    Header header = llama2_7b();
    header.key_length = 256;
    EXPECT_EQ(estimate_vram(header, shape_of(4096, 1)), kFile + kCache * 3 / 2 + kBesides);
    header.value_length = 64;
    EXPECT_EQ(estimate_vram(header, shape_of(4096, 1)), kFile + kCache * 5 / 4 + kBesides);
}

TEST(VramEstimate, ACacheOfSmallerValuesIsSmaller) {
    EngineShape shape = shape_of(4096, 1);
    shape.key_block = cache_block_bytes("q8_0");
    EXPECT_EQ(estimate_vram(llama2_7b(), shape), kFile + kCache / 128 * (64 + 34) + kBesides);
    shape.value_block = cache_block_bytes("q4_0");
    EXPECT_EQ(estimate_vram(llama2_7b(), shape), kFile + kCache / 128 * (34 + 18) + kBesides);
}

TEST(VramEstimate, AnUnknownCacheTypeCountsAsTheWidest) {
    EXPECT_EQ(cache_block_bytes("f16"), 64U);
    EXPECT_EQ(cache_block_bytes("q9_9"), cache_block_bytes("f32"));
}

TEST(VramEstimate, LayersThatStayOnTheCpuDoNotCount) {
    EngineShape shape = shape_of(4096, 1);
    shape.gpu_layers = 8;
    EXPECT_EQ(estimate_vram(llama2_7b(), shape), (kFile + kCache) / 4 + kBesides);
    shape.gpu_layers = 999;
    EXPECT_EQ(estimate_vram(llama2_7b(), shape), kFile + kCache + kBesides);
    shape.gpu_layers = 0;
    EXPECT_EQ(estimate_vram(llama2_7b(), shape), kBesides);
}

TEST(VramEstimate, AShareIsRoundedUp) {
    Header header;
    header.block_count = 3;
    EngineShape shape;
    shape.file_bytes = 100;
    shape.gpu_layers = 2;
    EXPECT_EQ(estimate_vram(header, shape), 67 + kBesides);
}

TEST(VramEstimate, EveryGpuHoldsBuffersAndACpuNone) {
    EngineShape shape = shape_of(4096, 1);
    shape.gpus = 2;
    EXPECT_EQ(estimate_vram(llama2_7b(), shape), kFile + kCache + 2 * kBesides);
    shape.gpus = 0;
    EXPECT_EQ(estimate_vram(llama2_7b(), shape), 0U);
}

TEST(VramEstimate, AHeaderThatDoesNotTellLeavesTheWeights) {
    EXPECT_EQ(estimate_vram(Header{}, shape_of(4096, 4)), kFile + kBesides);
    Header headless = llama2_7b();
    headless.head_count = 0;
    EXPECT_EQ(estimate_vram(headless, shape_of(4096, 4)), kFile + kBesides);
    Header shapeless = llama2_7b();
    shapeless.block_count.reset();
    EngineShape shape = shape_of(4096, 4);
    shape.gpu_layers = 8;
    EXPECT_EQ(estimate_vram(shapeless, shape), kFile + kBesides);
}

TEST(VramEstimate, AbsurdFiguresGiveTheLargestNumber) {
    Header header;
    header.block_count = kMost;
    header.embedding_length = kMost;
    header.head_count = 1;
    EXPECT_EQ(estimate_vram(header, shape_of(kMost, kMost)), kMost);
    EngineShape shape = shape_of(1, 1);
    shape.file_bytes = kMost;
    EXPECT_EQ(estimate_vram(llama2_7b(), shape), kMost);
    shape.gpu_layers = 1;
    EXPECT_LT(estimate_vram(llama2_7b(), shape), kMost / 16);
}

// The tiny model of the end-to-end tests: 2 * 2 * (32 + 32) * 2 = 512 bytes a token.
TEST(VramEstimate, OfATinyModelIsWhatEveryEngineTakes) {
    Header header;
    header.block_count = 2;
    header.embedding_length = 128;
    header.head_count = 4;
    header.head_count_kv = 2;
    EngineShape shape;
    shape.file_bytes = 1'022'016;
    shape.ctx = 2048;
    shape.slots = 2;
    EXPECT_EQ(estimate_vram(header, shape), 1'022'016 + 512 * 4096 + kBesides);
}

}  // namespace
}  // namespace orch::gguf
