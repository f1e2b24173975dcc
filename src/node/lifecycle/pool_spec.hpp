#pragma once

#include "base/enums.hpp"
#include "base/result.hpp"
#include "base/strong_id.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace orch::node::lifecycle {

// What an operator asks of one pool. Comes from the settings file, from a request, or from
// `--model`. A value; whoever holds one knows it passed check_pool_spec.
struct PoolSpec {
    PoolId id;
    EngineFamily engine = EngineFamily::llamacpp;
    std::string model;       // a file, file:/..., or a name of the local store; empty beside url
    ServedName served_name;  // with_defaults: the file's stem
    std::vector<std::string> aliases;
    ModelKind kind = ModelKind::chat;
    std::optional<std::vector<std::string>>
        devices;              // GPU indices or UUIDs; {} = CPU; absent = all GPUs, else CPU
    std::uint32_t slots = 4;  // requests at once, per replica
    std::optional<std::uint32_t> ctx;  // tokens per slot
    std::uint32_t replicas = 1;
    std::optional<std::uint32_t> gpu_layers;  // absent = all
    std::vector<double> tensor_split;         // share of each device, in the order of devices
    std::vector<std::string> flags;
    std::map<std::string, std::string> env;
    std::map<std::string, std::string> labels;
    std::chrono::seconds start_timeout{600};
    std::optional<std::string>
        url;                 // an engine that already runs: watched, never started or stopped
    bool on_demand = false;  // started by the first request for it, not with the daemon

    bool external() const { return url.has_value(); }

    friend bool operator==(const PoolSpec&, const PoolSpec&) = default;
};

// What is wrong with one key of a spec.
struct SpecProblem {
    std::string key;
    std::string message;
};

// Everything that is wrong with a spec, all at once; empty when it can be used.
// Whether its model's file exists is asked elsewhere.
std::vector<SpecProblem> check_pool_spec(const PoolSpec& spec);

// The spec with its served name filled in.
PoolSpec with_defaults(PoolSpec spec);

// The file a spec's model names ("/models/a.gguf", "models/a.gguf", "file:/models/a.gguf"), or
// nothing when it is a name of the local store.
std::optional<std::string> model_file(std::string_view model);

// The pool of `--model FILE`.
PoolSpec single_model_pool(std::string file);

// The pools of `--models DIR`: one per GGUF file among the directory's file names, in their order,
// started on demand. Later parts of a split model and multi-modal projectors are no models.
std::vector<PoolSpec> directory_pools(
    std::string_view directory, std::vector<std::string> file_names
);

}  // namespace orch::node::lifecycle
