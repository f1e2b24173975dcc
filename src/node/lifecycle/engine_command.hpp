#pragma once

#include "base/result.hpp"
#include "node/lifecycle/pool_spec.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace orch::node::lifecycle {

// How a GPU may be named in `devices`.
struct GpuIdentity {
    std::uint32_t index = 0;  // nvidia-smi's, in PCI bus order
    std::string uuid;         // "GPU-..."
};

// What a start knows beyond its pool's spec.
struct EngineStart {
    std::string binary;                            // llama-server, or a program with its flags
    std::string model_path;                        // the file that the spec's model stands for
    std::uint16_t port = 0;                        // free a moment ago, on loopback
    std::optional<std::uint64_t> trained_ctx;      // tokens, as the model's file says
    std::vector<GpuIdentity> gpus;                 // of this machine
    std::map<std::string, std::string> inherited;  // the daemon's own environment
};

// Ready to be executed; the environment is complete.
struct EngineCommand {
    std::vector<std::string> argv;
    std::map<std::string, std::string> environment;
    std::map<std::string, std::string> steering;  // of the environment, what engines act on
};

// The command line of one replica of a pool of family llamacpp. Pure.
// The product's own flags come first, so that none of the spec's is read as their value, and
// everything is explicit: llama-server's defaults share one context among slots and change between
// versions.
// Errors: invalid_params naming the pool and the device that this machine does not have.
Result<EngineCommand> make_engine_command(const PoolSpec& spec, const EngineStart& start);

// Tokens of one slot: what the spec says, else 8192 or what the model was trained for if less.
std::uint32_t ctx_per_slot(const PoolSpec& spec, std::optional<std::uint64_t> trained_ctx);

}  // namespace orch::node::lifecycle
