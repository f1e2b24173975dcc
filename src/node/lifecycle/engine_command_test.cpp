#include "node/lifecycle/engine_command.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace orch::node::lifecycle {
namespace {

using testing::ElementsAre;
using testing::Pair;
using testing::UnorderedElementsAre;

PoolSpec chat() {
    PoolSpec spec = single_model_pool("/m/qwen.gguf");
    spec.id = PoolId("chat");
    return spec;
}

EngineStart start() {
    return {
        .binary = "/usr/bin/llama-server",
        .model_path = "/m/qwen.gguf",
        .port = 31337,
        .trained_ctx = std::nullopt,
        .gpus = {},
        .inherited = {}
    };
}

EngineStart start_with_gpus() {
    EngineStart with = start();
    with.gpus = {{0, "GPU-aaa"}, {1, "GPU-bbb"}, {2, "GPU-ccc"}};
    return with;
}

std::string value_of(const std::vector<std::string>& argv, std::string_view flag) {
    const auto found = std::ranges::find(argv, flag);
    return found == argv.end() || found + 1 == argv.end() ? "absent" : *(found + 1);
}

std::string flag_value(const PoolSpec& spec, const EngineStart& with, std::string_view flag) {
    return value_of(make_engine_command(spec, with).value().argv, flag);
}

TEST(EngineCommand, SaysEverythingExplicitly) {
    EXPECT_THAT(
        make_engine_command(chat(), start())->argv,
        ElementsAre(
            "/usr/bin/llama-server",
            "--model",
            "/m/qwen.gguf",
            "--alias",
            "qwen",
            "--host",
            "127.0.0.1",
            "--port",
            "31337",
            "--parallel",
            "4",
            "--ctx-size",
            "32768",
            "--n-gpu-layers",
            "0",
            "--metrics",
            "--slots"
        )
    );
}

TEST(EngineCommand, StartsWithContextForEverySlot) {
    PoolSpec spec = chat();
    EngineStart with = start();
    with.trained_ctx = 2048;
    EXPECT_EQ(flag_value(spec, with, "--ctx-size"), "8192");
    with.trained_ctx = 131072;
    EXPECT_EQ(flag_value(spec, with, "--ctx-size"), "32768");
    spec.ctx = 16U << 20;
    spec.slots = 1024;
    EXPECT_EQ(flag_value(spec, with, "--ctx-size"), "17179869184");
}

TEST(EngineCommand, ContextDefaultsToWhatTheModelWasTrainedForIfThatIsLess) {
    PoolSpec spec = chat();
    EXPECT_EQ(ctx_per_slot(spec, std::nullopt), 8192U);
    EXPECT_EQ(ctx_per_slot(spec, 0), 8192U);
    EXPECT_EQ(ctx_per_slot(spec, 512), 512U);
    EXPECT_EQ(ctx_per_slot(spec, UINT64_MAX), 8192U);
    spec.ctx = 100;
    EXPECT_EQ(ctx_per_slot(spec, 512), 100U);
}

TEST(EngineCommand, UsesAllGpusUnlessToldOtherwise) {
    PoolSpec spec = chat();
    EXPECT_EQ(flag_value(spec, start_with_gpus(), "--n-gpu-layers"), "999");
    spec.gpu_layers = 12;
    EXPECT_EQ(flag_value(spec, start_with_gpus(), "--n-gpu-layers"), "12");
    EXPECT_EQ(flag_value(spec, start(), "--n-gpu-layers"), "12");
    EXPECT_FALSE(
        make_engine_command(spec, start_with_gpus())->environment.contains("CUDA_VISIBLE_DEVICES")
    );
}

TEST(EngineCommand, NoDevicesMeansCpu) {
    PoolSpec spec = chat();
    spec.devices.emplace();
    spec.gpu_layers = 12;
    const auto command = make_engine_command(spec, start_with_gpus());
    EXPECT_EQ(value_of(command->argv, "--n-gpu-layers"), "0");
    EXPECT_EQ(command->environment.at("CUDA_VISIBLE_DEVICES"), "");
}

TEST(EngineCommand, KnowsWhichVariablesMakeItAnotherStart) {
    PoolSpec spec = chat();
    spec.devices = {"0"};
    spec.env["OF_THE_POOL"] = "1";
    EngineStart with = start_with_gpus();
    with.inherited = {{"LD_LIBRARY_PATH", "/opt/cuda"}, {"INVOCATION_ID", "5f1c"}};
    EXPECT_THAT(
        make_engine_command(spec, with)->steering,
        UnorderedElementsAre(
            Pair("CUDA_DEVICE_ORDER", "PCI_BUS_ID"),
            Pair("CUDA_VISIBLE_DEVICES", "0"),
            Pair("LD_LIBRARY_PATH", "/opt/cuda"),
            Pair("OF_THE_POOL", "1")
        )
    );
}

TEST(EngineCommand, MasksDevicesByIndexInPciOrder) {
    PoolSpec spec = chat();
    spec.devices = {"GPU-ccc", "0"};
    spec.tensor_split = {3, 1.5};
    const auto command = make_engine_command(spec, start_with_gpus());
    EXPECT_THAT(
        command->environment,
        UnorderedElementsAre(
            Pair("CUDA_DEVICE_ORDER", "PCI_BUS_ID"), Pair("CUDA_VISIBLE_DEVICES", "2,0")
        )
    );
    EXPECT_EQ(value_of(command->argv, "--tensor-split"), "3,1.5");
}

TEST(EngineCommand, RefusesDevicesTheMachineDoesNotHave) {
    PoolSpec spec = chat();
    spec.devices = {"0", "7"};
    const auto command = make_engine_command(spec, start_with_gpus());
    ASSERT_FALSE(command);
    EXPECT_EQ(
        command.error().message, "pool chat: device 7 is not among the 3 GPUs of this machine"
    );
    EXPECT_FALSE(make_engine_command(spec, start()));
}

TEST(EngineCommand, AppendsTheFlagsOfThePool) {
    PoolSpec spec = chat();
    spec.flags = {"--flash-attn", "on"};
    const auto argv = make_engine_command(spec, start())->argv;
    EXPECT_THAT(
        std::vector<std::string>(argv.end() - 3, argv.end()),
        ElementsAre("--slots", "--flash-attn", "on")
    );
}

TEST(EngineCommand, OpensTheEndpointsOfTheKind) {
    PoolSpec spec = chat();
    EXPECT_EQ(flag_value(spec, start(), "--ubatch-size"), "absent");
    spec.kind = ModelKind::embedding;
    spec.ctx = 512;
    EXPECT_EQ(flag_value(spec, start(), "--embeddings"), "--batch-size");
    EXPECT_EQ(flag_value(spec, start(), "--ubatch-size"), "512");
    EXPECT_EQ(flag_value(spec, start(), "--pooling"), "absent");
    spec.kind = ModelKind::rerank;
    spec.ctx = 8192;
    EXPECT_EQ(flag_value(spec, start(), "--batch-size"), "2048");
    EXPECT_EQ(flag_value(spec, start(), "--pooling"), "rank");
}

TEST(EngineCommand, NeverOpensTheEndpointThatChangesProperties) {
    EXPECT_EQ(std::ranges::count(make_engine_command(chat(), start())->argv, "--props"), 0);
}

TEST(EngineCommand, ScrubsTheEnvironment) {
    PoolSpec spec = chat();
    spec.env = {{"OMP_NUM_THREADS", "4"}, {"LANG", "C"}};
    EngineStart with = start();
    with.inherited = {
        {"PATH", "/usr/bin"},
        {"LANG", "de_DE.UTF-8"},
        {"LLAMA_ARG_N_PARALLEL", "7"},
        {"LLAMA_API_KEY", "k"},
        {"LLORCH_API_TOKEN", "secret"},
        {"POOL_MANAGERD_ADDR", "x"},
        {"ORCHESTRATORD_URL", "x"},
        {"ORCHD_POOL_MANAGERS", "x"},
        {"AUTH_TOKEN", "secret"},
        {"NOTIFY_SOCKET", "x"},
        {"LISTEN_FDS", "1"},
        {"WATCHDOG_USEC", "1"},
    };
    EXPECT_THAT(
        make_engine_command(spec, with)->environment,
        UnorderedElementsAre(
            Pair("PATH", "/usr/bin"), Pair("LANG", "C"), Pair("OMP_NUM_THREADS", "4")
        )
    );
}

}  // namespace
}  // namespace orch::node::lifecycle
