#pragma once

#include "async/child_process.hpp"
#include "async/offload.hpp"
#include "node/lifecycle/engine_command.hpp"
#include "node/lifecycle/pool_spec.hpp"
#include "node/supervisor/model_facts.hpp"
#include "node/supervisor/record_folder.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace orch::node::supervisor {

// The file of a model of the store. Errors: not_found; conflict, for one that must not be started.
// Control thread.
using FindModel = std::function<Result<std::string>(const std::string& name)>;

struct LauncherConfig {
    std::string binary;               // llama-server
    std::filesystem::path log_dir;    // exists
    std::filesystem::path model_dir;  // of models without a path
    FindModel find_model;             // asked before it; may be empty
    std::map<std::string, std::string> inherited;
};

// What an engine of a pool is started as.
struct EnginePlan {
    lifecycle::EngineCommand command;
    std::uint16_t port = 0;
    std::string model_path;
    std::string digest;  // lifecycle::digest_start()
};

// An engine process that has just begun, with its own log and its run record.
struct LaunchedEngine {
    async::ChildProcess child;
    EnginePlan plan;
    std::string log_path;
    std::string record_problem;  // why the next run of the daemon would not find it; mostly empty
};

// Starts engine processes: looks at the model, chooses a port, writes the log and the run record.
// Files are read and written on `blocking`; control thread.
class EngineLauncher {
public:
    // `blocking` and `records` outlive it.
    EngineLauncher(LauncherConfig config, async::BlockingPool& blocking, RecordFolder& records);

    // Errors: what keeps the engine from being started, for people.
    Task<Result<LaunchedEngine>> launch(
        lifecycle::PoolSpec spec, ReplicaId replica, std::vector<lifecycle::GpuIdentity> gpus
    );

    // The file of the pool's model, as launch() would take it. Errors: not_found naming the file;
    // conflict, for one that must not be started.
    Task<Result<ModelFacts>> look_at_model(lifecycle::PoolSpec spec);

    // What launch() would start now, were its port `port`. Errors: as those of launch().
    Task<Result<EnginePlan>> plan(
        lifecycle::PoolSpec spec, std::vector<lifecycle::GpuIdentity> gpus, std::uint16_t port
    );

private:
    LauncherConfig config_;
    async::BlockingPool& blocking_;
    RecordFolder& records_;
};

}  // namespace orch::node::supervisor
