#include "node/supervisor/vram_need.hpp"

#include <gtest/gtest.h>

namespace orch::node::supervisor {
namespace {

using inventory::Gpu;

constexpr Bytes kBesides = kGiB;  // on each GPU, beside weights and cache

Gpu make_gpu(std::uint32_t index, Bytes total, Bytes used) {
    Gpu gpu;
    gpu.index = index;
    gpu.uuid = "GPU-" + std::to_string(index);
    gpu.vram_total = total;
    gpu.vram_used = used;
    return gpu;
}

const std::vector<Gpu> kTwo{make_gpu(0, 24 * kGiB, 4 * kGiB), make_gpu(1, 24 * kGiB, 14 * kGiB)};

// 32 layers, 8 key/value heads of 128: 128 KiB a token; a file of 4 GiB.
ModelFacts eight_billion() {
    ModelFacts model;
    model.bytes = 4 * kGiB;
    model.header.context_length = 8192;
    model.header.block_count = 32;
    model.header.embedding_length = 4096;
    model.header.head_count = 32;
    model.header.head_count_kv = 8;
    return model;
}

lifecycle::PoolSpec on(std::optional<std::vector<std::string>> devices) {
    lifecycle::PoolSpec spec;
    spec.devices = std::move(devices);
    return spec;
}

TEST(ReplicaVramNeed, IsThatOfTheContextTheEngineIsStartedWith) {
    auto spec = on({{"0"}});
    EXPECT_EQ(replica_vram_need(spec, eight_billion(), kTwo), 8 * kGiB + kBesides);
    spec.slots = 1;
    EXPECT_EQ(replica_vram_need(spec, eight_billion(), kTwo), 5 * kGiB + kBesides);
    spec.ctx = 16384;
    EXPECT_EQ(replica_vram_need(spec, eight_billion(), kTwo), 6 * kGiB + kBesides);
    spec.ctx.reset();
    ModelFacts brief = eight_billion();
    brief.header.context_length = 2048;
    EXPECT_EQ(replica_vram_need(spec, brief, kTwo), 4 * kGiB + 256 * kMiB + kBesides);
}

TEST(ReplicaVramNeed, FlagsMayMakeTheCacheSmaller) {
    auto spec = on({{"0"}});
    spec.flags = {"-ctk", "q8_0", "--cache-type-v=q4_0"};
    const Bytes cache = 4 * kGiB / 128 * (34 + 18);
    EXPECT_EQ(replica_vram_need(spec, eight_billion(), kTwo), 4 * kGiB + cache + kBesides);
    spec.flags = {"-ctk", "q8_0", "-ctk", "f16", "--verbose", "-ctv"};
    EXPECT_EQ(replica_vram_need(spec, eight_billion(), kTwo), 8 * kGiB + kBesides);
}

TEST(ReplicaVramNeed, LayersOnTheCpuTakeNothing) {
    auto spec = on({{"0"}});
    spec.gpu_layers = 8;
    EXPECT_EQ(replica_vram_need(spec, eight_billion(), kTwo), 2 * kGiB + kBesides);
}

TEST(ReplicaVramNeed, EachGpuOfThePoolHoldsBuffers) {
    EXPECT_EQ(replica_vram_need(on({}), eight_billion(), kTwo), 8 * kGiB + 2 * kBesides);
}

TEST(ReplicaVramNeed, IsNothingWithoutGpuMemory) {
    EXPECT_EQ(replica_vram_need(on({}), eight_billion(), {}), 0U);
    EXPECT_EQ(replica_vram_need(on(std::vector<std::string>{}), eight_billion(), kTwo), 0U);
    EXPECT_EQ(replica_vram_need(on({{"7"}}), eight_billion(), kTwo), 0U);
    const std::vector<Gpu> shared_memory{make_gpu(0, 0, 0)};
    EXPECT_EQ(replica_vram_need(on({}), eight_billion(), shared_memory), 0U);
}

VramClaim claim(
    const char* pool, Bytes bytes, std::optional<std::vector<std::string>> devices = {{"0"}}
) {
    return {PoolId(pool), std::move(devices), bytes};
}

TEST(CheckRoom, WhatIsFreeOnItsGpusIsEnough) {
    EXPECT_TRUE(check_room(claim("b", 20 * kGiB), kTwo, {}));
    EXPECT_TRUE(check_room(claim("b", 30 * kGiB, {}), kTwo, {}));
    EXPECT_FALSE(check_room(claim("b", 20 * kGiB + 1), kTwo, {}));
    EXPECT_FALSE(check_room(claim("b", 12 * kGiB, {{"GPU-1"}}), kTwo, {}));
}

TEST(CheckRoom, ARefusalTellsTheFigures) {
    const auto refused = check_room(claim("b", 21 * kGiB + 205 * kMiB), kTwo, {});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::pool_unavailable);
    EXPECT_EQ(
        refused.error().message,
        "pool 'b': its model needs about 21.2 GiB of VRAM, and 20.0 GiB are free"
    );
}

TEST(CheckRoom, WhatIsBeingLoadedKeepsItsRoom) {
    const std::vector<VramClaim> others{claim("a", 12 * kGiB)};
    EXPECT_TRUE(check_room(claim("b", 8 * kGiB), kTwo, others));
    const auto refused = check_room(claim("b", 9 * kGiB), kTwo, others);
    ASSERT_FALSE(refused);
    EXPECT_EQ(
        refused.error().message,
        "pool 'b': its model needs about 9.0 GiB of VRAM, and 20.0 GiB are free (12.0 GiB of that "
        "is kept for pool 'a', which is being loaded)"
    );
}

TEST(CheckRoom, NoMoreIsKeptThanIsFree) {
    const std::vector<VramClaim> others{claim("a", 15 * kGiB), claim("c", 15 * kGiB)};
    const auto refused = check_room(claim("b", kGiB), kTwo, others);
    ASSERT_FALSE(refused);
    EXPECT_TRUE(refused.error().message.ends_with(
        "20.0 GiB are free (20.0 GiB of that is kept for pools 'a', 'c', which are being loaded)"
    )) << refused.error().message;
}

TEST(CheckRoom, OnlyWhatLiesOnTheSameGpusIsKept) {
    const std::vector<VramClaim> elsewhere{claim("a", 10 * kGiB, {{"1"}})};
    EXPECT_TRUE(check_room(claim("b", 20 * kGiB), kTwo, elsewhere));
    const std::vector<VramClaim> everywhere{claim("a", 10 * kGiB, {})};
    EXPECT_TRUE(check_room(claim("b", 15 * kGiB - 1), kTwo, everywhere));
    EXPECT_FALSE(check_room(claim("b", 15 * kGiB), kTwo, everywhere));
    EXPECT_TRUE(check_room(claim("b", 20 * kGiB, {}), kTwo, everywhere));
}

TEST(CheckRoom, NobodyIsRefusedWhereMemoryIsNotKnown) {
    EXPECT_TRUE(check_room(claim("b", kGiB), {}, {}));
    const std::vector<Gpu> shared_memory{make_gpu(0, 0, 0)};
    EXPECT_TRUE(check_room(claim("b", kGiB), shared_memory, {}));
    const std::vector<VramClaim> others{claim("a", 30 * kGiB)};
    EXPECT_TRUE(check_room(claim("b", 0), kTwo, others));
}

}  // namespace
}  // namespace orch::node::supervisor
