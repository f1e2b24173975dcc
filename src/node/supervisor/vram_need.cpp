#include "node/supervisor/vram_need.hpp"

#include "base/saturating.hpp"
#include "gguf/vram_estimate.hpp"
#include "node/lifecycle/engine_command.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>

namespace orch::node::supervisor {
namespace {

using inventory::Gpu;
using Devices = std::optional<std::vector<std::string>>;

std::uint64_t count_telling(std::span<const Gpu> gpus, const Devices& devices) {
    return static_cast<std::uint64_t>(std::ranges::count_if(gpus, [&](const Gpu& gpu) {
        return gpu.vram_total > 0 && names(devices, gpu);
    }));
}

// The value of a flag under either of its names, "--flag value" or "--flag=value"; the last counts.
std::optional<std::string_view> find_flag(
    const std::vector<std::string>& flags, std::string_view brief, std::string_view full
) {
    std::optional<std::string_view> value;
    for (std::size_t i = 0; i < flags.size(); ++i) {
        const std::string_view flag = flags[i];
        const std::string_view name = flag.substr(0, flag.find('='));
        if (name != brief && name != full) {
            continue;
        }
        if (name.size() < flag.size()) {
            value = flag.substr(name.size() + 1);
        } else if (i + 1 < flags.size()) {
            value = flags[i + 1];
        }
    }
    return value;
}

// How much of what `claim` takes lies on GPUs that `devices` names too: an engine is spread evenly.
Bytes part_on(const VramClaim& claim, const Devices& devices, std::span<const Gpu> gpus) {
    const std::uint64_t all = count_telling(gpus, claim.devices);
    const auto shared = static_cast<std::uint64_t>(std::ranges::count_if(gpus, [&](const Gpu& gpu) {
        return gpu.vram_total > 0 && names(claim.devices, gpu) && names(devices, gpu);
    }));
    if (shared == 0 || shared == all) {
        return shared == 0 ? 0 : claim.bytes;
    }
    return saturating_multiply(claim.bytes / all + 1, shared);
}

std::string gib(Bytes bytes) {
    return fmt::format("{:.1f} GiB", static_cast<double>(bytes) / static_cast<double>(kGiB));
}

// Behind the free memory, of which `kept` is spoken for.
std::string describe_kept(Bytes kept, const std::vector<std::string>& pools) {
    if (pools.empty()) {
        return {};
    }
    const bool one = pools.size() == 1;
    return fmt::format(
        " ({} of that is kept for {} {}, which {} being loaded)",
        gib(kept),
        one ? "pool" : "pools",
        fmt::join(pools, ", "),
        one ? "is" : "are"
    );
}

}  // namespace

Bytes replica_vram_need(
    const lifecycle::PoolSpec& spec, const ModelFacts& model, std::span<const Gpu> gpus
) {
    gguf::EngineShape shape;
    shape.file_bytes = model.bytes;
    shape.ctx = lifecycle::ctx_per_slot(spec, model.header.context_length);
    shape.slots = spec.slots;
    shape.gpu_layers = spec.gpu_layers;
    shape.gpus = count_telling(gpus, spec.devices);
    if (const auto type = find_flag(spec.flags, "-ctk", "--cache-type-k")) {
        shape.key_block = gguf::cache_block_bytes(*type);
    }
    if (const auto type = find_flag(spec.flags, "-ctv", "--cache-type-v")) {
        shape.value_block = gguf::cache_block_bytes(*type);
    }
    return gguf::estimate_vram(model.header, shape);
}

Result<void> check_room(
    const VramClaim& wanted, std::span<const Gpu> gpus, std::span<const VramClaim> others
) {
    const inventory::GpuMemory memory = inventory::memory_of(gpus, wanted.devices);
    Bytes kept = 0;
    std::vector<std::string> keepers;
    for (const VramClaim& other : others) {
        if (const Bytes part = part_on(other, wanted.devices, gpus); part > 0) {
            kept = saturating_add(kept, part);
            keepers.push_back(fmt::format("'{}'", other.pool.str()));
        }
    }
    const bool asks = memory.total > 0 && wanted.bytes > 0;
    if (!asks || saturating_add(wanted.bytes, kept) <= memory.free) {
        return {};
    }
    return fail(
        Errc::pool_unavailable,
        fmt::format(
            "pool '{}': its model needs about {} of VRAM, and {} are free{}",
            wanted.pool.str(),
            gib(wanted.bytes),
            gib(memory.free),
            describe_kept(std::min(kept, memory.free), keepers)
        )
    );
}

}  // namespace orch::node::supervisor
