#include "node/lifecycle/engine_command.hpp"

#include "node/lifecycle/engine_flags.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

namespace orch::node::lifecycle {
namespace {

constexpr std::uint64_t kDefaultCtx = 8192;

// More layers than any model has. The word "all" is newer than many llama-servers in use.
constexpr std::string_view kAllLayers = "999";

// Larger embedding inputs than one micro-batch are refused by llama-server with a 500.
constexpr std::uint32_t kMostBatch = 2048;

bool names(std::string_view device, const GpuIdentity& gpu) {
    return device == gpu.uuid || device == std::to_string(gpu.index);
}

// Indices, because CUDA accepts no mixture of indices and UUIDs.
Result<std::vector<std::uint32_t>> resolve_devices(
    const PoolSpec& spec, const std::vector<GpuIdentity>& gpus
) {
    std::vector<std::uint32_t> indices;
    for (const std::string& device : *spec.devices) {
        const auto found =
            std::ranges::find_if(gpus, [&](const GpuIdentity& gpu) { return names(device, gpu); });
        if (found == gpus.end()) {
            return fail(
                Errc::invalid_params,
                fmt::format(
                    "pool {}: device {} is not among the {} GPUs of this machine",
                    spec.id.str(),
                    device,
                    gpus.size()
                )
            );
        }
        indices.push_back(found->index);
    }
    return indices;
}

std::string layers_on_gpu(const PoolSpec& spec, const EngineStart& start) {
    if (spec.devices && spec.devices->empty()) {
        return "0";
    }
    if (spec.gpu_layers) {
        return std::to_string(*spec.gpu_layers);
    }
    return start.gpus.empty() ? "0" : std::string(kAllLayers);
}

void add_kind_flags(const PoolSpec& spec, std::uint32_t ctx, std::vector<std::string>& argv) {
    if (spec.kind == ModelKind::chat) {
        return;
    }
    const std::string batch = std::to_string(std::min(ctx, kMostBatch));
    argv.insert(argv.end(), {"--embeddings", "--batch-size", batch, "--ubatch-size", batch});
    if (spec.kind == ModelKind::rerank) {
        argv.insert(argv.end(), {"--pooling", "rank"});
    }
}

std::vector<std::string> make_argv(const PoolSpec& spec, const EngineStart& start) {
    const std::uint32_t ctx = ctx_per_slot(spec, start.trained_ctx);
    std::vector<std::string> argv{
        start.binary,
        "--model",
        start.model_path,
        "--alias",
        spec.served_name.str(),
        "--host",
        "127.0.0.1",
        "--port",
        std::to_string(start.port),
        "--parallel",
        std::to_string(spec.slots),
        "--ctx-size",
        std::to_string(std::uint64_t{ctx} * spec.slots),
        "--n-gpu-layers",
        layers_on_gpu(spec, start),
        "--metrics",
        "--slots",
    };
    if (!spec.tensor_split.empty()) {
        argv.insert(
            argv.end(), {"--tensor-split", fmt::format("{}", fmt::join(spec.tensor_split, ","))}
        );
    }
    add_kind_flags(spec, ctx, argv);
    argv.insert(argv.end(), spec.flags.begin(), spec.flags.end());
    return argv;
}

}  // namespace

std::uint32_t ctx_per_slot(const PoolSpec& spec, std::optional<std::uint64_t> trained_ctx) {
    const std::uint64_t trained = trained_ctx.value_or(0) == 0 ? kDefaultCtx : *trained_ctx;
    return spec.ctx.value_or(static_cast<std::uint32_t>(std::min(kDefaultCtx, trained)));
}

Result<EngineCommand> make_engine_command(const PoolSpec& spec, const EngineStart& start) {
    EngineCommand command;
    command.argv = make_argv(spec, start);
    std::ranges::copy_if(
        start.inherited,
        std::inserter(command.environment, command.environment.end()),
        [](const auto& variable) { return !scrubbed_variable(variable.first); }
    );
    if (spec.devices) {
        const auto indices = resolve_devices(spec, start.gpus);
        if (!indices) {
            return std::unexpected(indices.error());
        }
        // nvidia-smi counts in PCI order, CUDA by speed unless told.
        command.environment["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID";
        command.environment["CUDA_VISIBLE_DEVICES"] = fmt::format("{}", fmt::join(*indices, ","));
    }
    for (const auto& [name, value] : spec.env) {
        command.environment[name] = value;
    }
    std::ranges::copy_if(
        command.environment,
        std::inserter(command.steering, command.steering.end()),
        [&spec](const auto& variable) {
            return spec.env.contains(variable.first) || steers_engines(variable.first);
        }
    );
    return command;
}

}  // namespace orch::node::lifecycle
