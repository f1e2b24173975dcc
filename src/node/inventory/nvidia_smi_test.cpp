#include "node/inventory/nvidia_smi.hpp"

#include "base/rng.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace orch::node::inventory {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::string_view kTwo =
    "1, GPU-bbb, NVIDIA H100 80GB HBM3, 81559, 1024, 37, 45, 9.0\n"
    "0, GPU-aaa, NVIDIA GeForce RTX 3090, 24576, 24000, 0, 31, 8.6\n";

TEST(NvidiaSmi, ReadsOneLinePerGpu) {
    const auto reading = parse_nvidia_smi(kTwo);
    ASSERT_TRUE(reading);
    EXPECT_THAT(reading->problems, IsEmpty());
    ASSERT_THAT(reading->gpus, SizeIs(2));
    const Gpu h100{
        .index = 1,
        .uuid = "GPU-bbb",
        .name = "NVIDIA H100 80GB HBM3",
        .vram_total = 81559 * kMiB,
        .vram_used = 1024 * kMiB,
        .utilization = 0.37,
        .temperature_c = 45.0,
        .compute_capability = "9.0"
    };
    EXPECT_EQ(reading->gpus[0].uuid, "GPU-aaa");
    EXPECT_EQ(reading->gpus[1], h100);
}

TEST(NvidiaSmi, LeavesOutWhatTheDriverDoesNotSupport) {
    const auto reading =
        parse_nvidia_smi("0, GPU-a, NVIDIA GB10, [N/A], [N/A], [Not Supported], [N/A], [N/A]\r\n");
    ASSERT_TRUE(reading);
    ASSERT_THAT(reading->gpus, SizeIs(1));
    EXPECT_EQ(reading->gpus[0].vram_total, 0U);
    EXPECT_EQ(reading->gpus[0].utilization, std::nullopt);
    EXPECT_EQ(reading->gpus[0].temperature_c, std::nullopt);
    EXPECT_EQ(reading->gpus[0].compute_capability, "");
}

TEST(NvidiaSmi, KeepsCommasOfAName) {
    const auto reading = parse_nvidia_smi("0, GPU-a, Card, Special, 100, 1, 2, 3, 8.9\n");
    EXPECT_EQ(reading->gpus.at(0).name, "Card, Special");
    EXPECT_EQ(reading->gpus.at(0).vram_total, 100 * kMiB);
}

TEST(NvidiaSmi, ABadLineCostsOnlyItsGpu) {
    const auto reading = parse_nvidia_smi(
        "0, GPU-a, Card, 100, 1, 2, 3, 8.9\n"
        "1, GPU-b, Card, lots, 1, 2, 3, 8.9\n"
        "WARNING: infoROM is corrupted at gpu 0000:01:00.0\n"
        "-1, GPU-c, Card, 100, 1, 2, 3, 8.9\n"
        "3, GPU-d, Card, 99999999999999999, 1, 2, 3, 8.9\n"
    );
    ASSERT_TRUE(reading);
    EXPECT_THAT(reading->gpus, SizeIs(1));
    ASSERT_THAT(reading->problems, SizeIs(4));
    EXPECT_THAT(reading->problems[1], HasSubstr("infoROM"));
}

TEST(NvidiaSmi, NoDevicesIsAnAnswer) {
    for (const char* output : {"", "\n", "No devices were found\n"}) {
        const auto reading = parse_nvidia_smi(output);
        ASSERT_TRUE(reading) << output;
        EXPECT_THAT(reading->gpus, IsEmpty());
        EXPECT_THAT(reading->problems, IsEmpty());
    }
}

TEST(NvidiaSmi, PassesItsComplaintsOn) {
    const auto failed = parse_nvidia_smi(
        "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.\n"
    );
    ASSERT_FALSE(failed);
    EXPECT_THAT(failed.error().message, HasSubstr("couldn't communicate with the NVIDIA driver"));
    EXPECT_FALSE(parse_nvidia_smi("Failed to initialize NVML: Driver/library version mismatch\n"));
    EXPECT_FALSE(parse_nvidia_smi("Field \"compute_cap\" is not a valid field to query.\n"));
}

TEST(NvidiaSmi, SurvivesDamagedOutput) {
    Rng rng(3);
    for (int round = 0; round < 5'000; ++round) {
        std::string bad(kTwo);
        for (int flips = 0; flips < 5; ++flips) {
            bad[rng.below(bad.size())] = static_cast<char>(rng.below(256));
        }
        const auto reading = parse_nvidia_smi(bad);
        EXPECT_TRUE(!reading || reading->gpus.size() + reading->problems.size() <= 12);
    }
}

TEST(NvidiaSmi, KeepsFiguresWithinTheirRange) {
    const auto reading = parse_nvidia_smi("0, GPU-a, Card, 100, 1, 250, -5, 8.9\n");
    EXPECT_EQ(reading->gpus.at(0).utilization, 1.0);
    EXPECT_EQ(reading->gpus.at(0).temperature_c, -5.0);
}

TEST(NvidiaSmi, CutsWhatItQuotesAndCleansIt) {
    const auto reading = parse_nvidia_smi(std::string(10'000, 'x') + "\n\xFF\xFE\n");
    ASSERT_THAT(reading->problems, SizeIs(2));
    EXPECT_LT(reading->problems[0].size(), 300U);
    EXPECT_EQ(reading->problems[1], "nvidia-smi wrote '\xEF\xBF\xBD\xEF\xBF\xBD'");
}

TEST(NvidiaSmi, ReadsAMachineFullOfGpus) {
    std::string output;
    for (int i = 15; i >= 0; --i) {
        output +=
            std::to_string(i) + ", GPU-" + std::to_string(i) + ", Card, 81559, 0, 0, 30, 9.0\n";
    }
    const auto gpus = parse_nvidia_smi(output)->gpus;
    ASSERT_THAT(gpus, SizeIs(16));
    for (std::uint32_t i = 0; i < 16; ++i) {
        EXPECT_EQ(gpus[i].index, i);
    }
    EXPECT_EQ(memory_of(gpus, std::vector<std::string>{"1"}).total, 81559 * kMiB) << "not 10 to 15";
    EXPECT_EQ(memory_of(gpus, std::nullopt).total, 81559 * kMiB * 16);
}

TEST(NvidiaSmi, AsksForTheFieldsItReads) {
    EXPECT_THAT(nvidia_smi_arguments(), SizeIs(2));
    EXPECT_THAT(nvidia_smi_arguments()[0], HasSubstr("index,uuid,name,memory.total"));
}

TEST(GpuMemory, SumsTheDevicesOfAPool) {
    const auto gpus = parse_nvidia_smi(kTwo)->gpus;
    EXPECT_EQ(memory_of(gpus, std::nullopt).total, (81559 + 24576) * kMiB);
    EXPECT_EQ(memory_of(gpus, std::nullopt).free, (81559 - 1024 + 576) * kMiB);
    EXPECT_EQ(memory_of(gpus, std::vector<std::string>{"GPU-bbb"}).total, 81559 * kMiB);
    EXPECT_EQ(memory_of(gpus, std::vector<std::string>{"0"}).free, 576 * kMiB);
    EXPECT_EQ(memory_of(gpus, std::vector<std::string>{}).total, 0U);
}

TEST(GpuMemory, IsNeverNegative) {
    Gpu odd;
    odd.vram_total = 5;
    odd.vram_used = 9;
    EXPECT_EQ(memory_of(std::vector<Gpu>{odd}, std::nullopt).free, 0U);
}

TEST(GpuMessages, TellWhatIsKnown) {
    const auto gpus = parse_nvidia_smi(kTwo)->gpus;
    const auto infos = make_gpu_infos(gpus);
    const auto reports = make_gpu_reports(gpus);
    ASSERT_THAT(infos, SizeIs(2));
    ASSERT_THAT(reports, SizeIs(2));
    EXPECT_EQ(infos[1].device_id, 1U);
    EXPECT_EQ(infos[1].compute_capability, "9.0");
    EXPECT_EQ(infos[1].vram_total_bytes, 81559 * kMiB);
    EXPECT_EQ(reports[1].vram_used_bytes, 1024 * kMiB);
    EXPECT_DOUBLE_EQ(reports[1].utilization, 0.37);
    EXPECT_EQ(reports[1].temperature_c, 45.0);
}

}  // namespace
}  // namespace orch::node::inventory
