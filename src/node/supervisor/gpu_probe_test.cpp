#include "node/supervisor/gpu_probe.hpp"

#include "async/task_group.hpp"
#include "base/log_capture.hpp"
#include "node/supervisor/scratch_folder.hpp"

#include <gtest/gtest.h>

namespace orch::node::supervisor {
namespace {

// A program in the place of nvidia-smi.
struct GpuProbeTest : ScratchFolder {
    asio::io_context context;
    async::RealClock clock;
    CapturedLog lines;
    LogSink sink{{}, clock, lines};
    GpuProbeConfig config{
        .environment = {{"PATH", folder.string() + ":/usr/bin:/bin"}}, .scratch_dir = folder
    };

    void install(const std::string& script) {
        const std::string path = write("nvidia-smi", "#!/bin/sh\n" + script + "\n");
        std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    }

    static Task<void> ask(GpuProbe& probe, std::vector<inventory::Gpu>& gpus) {
        gpus = co_await probe.load_gpus();
    }

    std::vector<inventory::Gpu> gpus(GpuProbe& probe) {
        std::vector<inventory::Gpu> found;
        async::TaskGroup tasks(context.get_executor(), nullptr);
        tasks.spawn(ask(probe, found));
        context.restart();
        context.run();
        return found;
    }

    GpuProbe probe() { return {config, clock, Logger(sink, "gpus")}; }
};

constexpr const char* kOneGpu =
    "echo 'GPU-5b1f, x' >/dev/null; echo '0, GPU-5b1f, NVIDIA H100, 81559, 12, 3, 41, 9.0'";

TEST_F(GpuProbeTest, ReadsWhatTheProgramWrites) {
    install(kOneGpu);
    GpuProbe asked = probe();
    const auto found = gpus(asked);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].name, "NVIDIA H100");
    EXPECT_EQ(found[0].vram_total, 81559 * kMiB);
    EXPECT_EQ(lines.lines().size(), 0U);
}

TEST_F(GpuProbeTest, AsksWithTheArgumentsOfItsParser) {
    install("echo \"$1\" > " + (folder / "asked").string());
    GpuProbe asked = probe();
    gpus(asked);
    EXPECT_EQ(read(folder / "asked"), inventory::nvidia_smi_arguments().front() + "\n");
}

TEST_F(GpuProbeTest, AMachineWithoutTheProgramHasNoGpusAndSaysSoOnce) {
    config.program = "no-such-program";
    GpuProbe asked = probe();
    EXPECT_TRUE(gpus(asked).empty());
    EXPECT_TRUE(gpus(asked).empty());
    EXPECT_EQ(lines.count("\"level\":\"info\""), 1U);
    EXPECT_EQ(lines.lines().size(), 1U);
}

TEST_F(GpuProbeTest, AFailureIsToldOnceAndKeepsTheGpus) {
    install(kOneGpu);
    GpuProbe asked = probe();
    gpus(asked);
    install("echo 'NVIDIA-SMI has failed because it could not talk to the driver.'; exit 9");
    EXPECT_EQ(gpus(asked).size(), 1U);
    EXPECT_EQ(gpus(asked).size(), 1U);
    EXPECT_EQ(lines.count("could not talk to the driver"), 1U);
}

TEST_F(GpuProbeTest, AProgramThatHangsIsKilledAtTheLimit) {
    install("exec sleep 600");
    config.limit = std::chrono::milliseconds(50);
    GpuProbe asked = probe();
    EXPECT_TRUE(gpus(asked).empty());
    EXPECT_EQ(lines.count("no answer in time"), 1U);
}

}  // namespace
}  // namespace orch::node::supervisor
