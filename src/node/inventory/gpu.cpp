#include "node/inventory/gpu.hpp"

#include <algorithm>

namespace orch::node::inventory {

bool names(const std::optional<std::vector<std::string>>& devices, const Gpu& gpu) {
    return !devices || std::ranges::any_of(*devices, [&](const std::string& device) {
        return device == gpu.uuid || device == std::to_string(gpu.index);
    });
}

GpuMemory memory_of(
    std::span<const Gpu> gpus, const std::optional<std::vector<std::string>>& devices
) {
    GpuMemory sum;
    for (const Gpu& gpu : gpus) {
        if (names(devices, gpu)) {
            sum.total += gpu.vram_total;
            sum.free += gpu.vram_total - std::min(gpu.vram_used, gpu.vram_total);
        }
    }
    return sum;
}

std::vector<api::GpuInfo> make_gpu_infos(std::span<const Gpu> gpus) {
    std::vector<api::GpuInfo> infos;
    infos.reserve(gpus.size());
    for (const Gpu& gpu : gpus) {
        infos.push_back({gpu.index, gpu.name, gpu.vram_total, gpu.compute_capability});
    }
    return infos;
}

std::vector<api::GpuReport> make_gpu_reports(std::span<const Gpu> gpus) {
    std::vector<api::GpuReport> reports;
    reports.reserve(gpus.size());
    for (const Gpu& gpu : gpus) {
        reports.push_back(
            {gpu.index,
             gpu.vram_total,
             gpu.vram_used,
             gpu.utilization.value_or(0),
             gpu.temperature_c}
        );
    }
    return reports;
}

}  // namespace orch::node::inventory
