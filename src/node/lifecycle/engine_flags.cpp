#include "node/lifecycle/engine_flags.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <utility>

namespace orch::node::lifecycle {
namespace {

// Spelling -> long form.
constexpr std::array<std::pair<std::string_view, std::string_view>, 22> kReserved{{
    {"-m", "--model"},
    {"--model", "--model"},
    {"-a", "--alias"},
    {"--alias", "--alias"},
    {"--host", "--host"},
    {"--port", "--port"},
    {"-np", "--parallel"},
    {"--parallel", "--parallel"},
    {"-c", "--ctx-size"},
    {"--ctx-size", "--ctx-size"},
    {"-ngl", "--n-gpu-layers"},
    {"--gpu-layers", "--n-gpu-layers"},
    {"--n-gpu-layers", "--n-gpu-layers"},
    {"-ts", "--tensor-split"},
    {"--tensor-split", "--tensor-split"},
    {"--api-key", "--api-key"},
    {"--api-key-file", "--api-key-file"},
    {"--api-prefix", "--api-prefix"},
    {"--metrics", "--metrics"},
    {"--slots", "--slots"},
    {"--no-slots", "--slots"},
    {"--props", "--props"},
}};

constexpr std::array<std::string_view, 9> kScrubbedPrefixes{
    "LLAMA_ARG_",
    "LLAMA_API_KEY",
    "LLORCH_",
    "POOL_MANAGERD_",
    "ORCHESTRATORD_",
    "ORCHD_",
    "AUTH_TOKEN",
    "LISTEN_",
    "WATCHDOG_",
};

constexpr std::array<std::string_view, 10> kSteeringPrefixes{
    "CUDA_",
    "NVIDIA_",
    "GGML_",
    "HIP_",
    "ROCR_",
    "HSA_",
    "GPU_",
    "OMP_",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD"
};

bool has_prefix(std::string_view name, std::span<const std::string_view> prefixes) {
    return std::ranges::any_of(prefixes, [&](std::string_view prefix) {
        return name.starts_with(prefix);
    });
}

}  // namespace

std::optional<std::string_view> reserved_flag(std::string_view argument) {
    const std::string_view name = argument.substr(0, argument.find_first_of("= "));
    const auto found =
        std::ranges::find(kReserved, name, &std::pair<std::string_view, std::string_view>::first);
    return found == kReserved.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::string> reserved_variable(std::string_view name) {
    if (name == "LLAMA_API_KEY") {
        return "engines listen on loopback without a key: requests reach them through the node";
    }
    if (name.starts_with("LLAMA_ARG_")) {
        return "write it as a flag: llama-server's own variables are kept from engines";
    }
    return std::nullopt;
}

bool scrubbed_variable(std::string_view name) {
    return name == "NOTIFY_SOCKET" || has_prefix(name, kScrubbedPrefixes);
}

bool steers_engines(std::string_view name) {
    return has_prefix(name, kSteeringPrefixes);
}

}  // namespace orch::node::lifecycle
