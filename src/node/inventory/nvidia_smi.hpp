#pragma once

#include "base/result.hpp"
#include "node/inventory/gpu.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace orch::node::inventory {

// The arguments whose output parse_nvidia_smi reads.
std::vector<std::string> nvidia_smi_arguments();

// What one run of nvidia-smi told.
struct GpuReading {
    std::vector<Gpu> gpus;              // by index
    std::vector<std::string> problems;  // a sentence for each line that could not be read
};

// Reads one line per GPU; fields the driver does not support ("[N/A]") are absent, a line that
// makes no sense costs only its GPU. "No devices were found" is a reading without GPUs. Pure.
// Errors: internal, with nvidia-smi's own words, when it says it cannot work.
Result<GpuReading> parse_nvidia_smi(std::string_view output);

}  // namespace orch::node::inventory
