#pragma once

#include "api/node_messages.hpp"
#include "base/bytes.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace orch::node::inventory {

// One GPU as its driver described it a moment ago.
struct Gpu {
    std::uint32_t index = 0;  // nvidia-smi's, in PCI bus order
    std::string uuid;         // "GPU-..."
    std::string name;
    Bytes vram_total = 0;  // 0: the driver does not say (memory shared with the CPU)
    Bytes vram_used = 0;
    std::optional<double> utilization;  // 0 to 1
    std::optional<double> temperature_c;
    std::string compute_capability;  // "8.6"; empty when unknown

    friend bool operator==(const Gpu&, const Gpu&) = default;
};

// Whether `devices` names the GPU by index or UUID; it names every GPU when it is absent.
bool names(const std::optional<std::vector<std::string>>& devices, const Gpu& gpu);

// Memory of several GPUs together.
struct GpuMemory {
    Bytes total = 0;
    Bytes free = 0;
};

// Of the GPUs that `devices` names by index or UUID; of all when it is absent.
GpuMemory memory_of(
    std::span<const Gpu> gpus, const std::optional<std::vector<std::string>>& devices
);

// What registration says once, and what every heartbeat says.
std::vector<api::GpuInfo> make_gpu_infos(std::span<const Gpu> gpus);
std::vector<api::GpuReport> make_gpu_reports(std::span<const Gpu> gpus);

}  // namespace orch::node::inventory
