#pragma once

#include "async/async_clock.hpp"
#include "base/log.hpp"
#include "node/inventory/nvidia_smi.hpp"

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace orch::node::supervisor {

inline constexpr Duration kGpuProbeLimit = std::chrono::seconds(5);

struct GpuProbeConfig {
    std::string program = "nvidia-smi";              // a path, or a name that is looked up in PATH
    std::map<std::string, std::string> environment;  // of the program; holds PATH
    std::filesystem::path scratch_dir;               // exists; the output goes through a file there
    Duration limit = kGpuProbeLimit;
};

// Asks the driver for this machine's GPUs. One call at a time; the caller's thread, which is not
// blocked. A machine without the program has no GPUs and says so once, at INFO. A failure is told
// once until a probe works again, and the GPUs of the last one that worked stay.
class GpuProbe {
public:
    // `clock` outlives it.
    GpuProbe(GpuProbeConfig config, async::AsyncClock& clock, Logger log);

    Task<std::vector<inventory::Gpu>> load_gpus();

private:
    void complain(const std::string& why);

    GpuProbeConfig config_;
    async::AsyncClock& clock_;
    Logger log_;
    std::vector<inventory::Gpu> last_;
    std::string complaint_;  // the one told last
    bool absence_told_ = false;
};

}  // namespace orch::node::supervisor
