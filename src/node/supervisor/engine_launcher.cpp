#include "node/supervisor/engine_launcher.hpp"

#include "node/lifecycle/run_record.hpp"
#include "node/lifecycle/start_digest.hpp"
#include "node/supervisor/child_log.hpp"
#include "node/supervisor/free_port.hpp"
#include "node/supervisor/proc_reader.hpp"
#include "node/supervisor/stray_engines.hpp"

#include <boost/asio/this_coro.hpp>

#include <utility>

namespace orch::node::supervisor {
namespace {

// What has to be read from disk before a start.
struct Groundwork {
    ModelFacts model;
    lifecycle::FileStamp program;
};

Result<Groundwork> load_groundwork(const LauncherConfig& config, const lifecycle::PoolSpec& spec) {
    auto model = load_model_facts(spec.model, config.model_dir);
    if (!model) {
        return std::unexpected(std::move(model.error()));
    }
    return Groundwork{std::move(*model), load_file_stamp(config.binary)};
}

lifecycle::EngineStart make_start(
    const LauncherConfig& config,
    const ModelFacts& model,
    std::uint16_t port,
    std::vector<lifecycle::GpuIdentity> gpus
) {
    lifecycle::EngineStart start;
    start.binary = config.binary;
    start.model_path = model.path;
    start.port = port;
    start.trained_ctx = model.header.context_length;
    start.gpus = std::move(gpus);
    start.inherited = config.inherited;
    return start;
}

Result<EnginePlan> make_plan(
    const lifecycle::PoolSpec& spec, const lifecycle::EngineStart& start, const Groundwork& ground
) {
    auto command = lifecycle::make_engine_command(spec, start);
    if (!command) {
        return std::unexpected(std::move(command.error()));
    }
    std::string digest = lifecycle::digest_start(*command, ground.program, ground.model.stamp);
    return EnginePlan{std::move(*command), start.port, start.model_path, std::move(digest)};
}

Result<LaunchedEngine> spawn(
    Executor executor, EnginePlan plan, const std::string& log_path, const std::string& record_path
) {
    async::ChildSpec child_spec{plan.command.argv, plan.command.environment, log_path};
    // Its record is written behind this: until then the process itself says whose it is.
    child_spec.environment[std::string(kEngineMark)] = record_path;
    auto child = async::ChildProcess::start(executor, child_spec);
    if (!child) {
        return std::unexpected(std::move(child.error()));
    }
    return LaunchedEngine{std::move(*child), std::move(plan), log_path, {}};
}

// Whatever it cannot tell about the process yet is read by save_record.
lifecycle::RunRecord make_record(
    const PoolId& pool, const ReplicaId& replica, const LaunchedEngine& engine
) {
    lifecycle::RunRecord record;
    record.pool = pool;
    record.replica = replica;
    record.pid = engine.child.pid();
    record.port = engine.plan.port;
    record.start_digest = engine.plan.digest;
    record.log_path = engine.log_path;
    return record;
}

std::string save_record(const RecordFolder& records, lifecycle::RunRecord record) {
    const auto process = load_process(record.pid);
    if (!process) {
        return {};  // it has ended already
    }
    record.start_time = process->start_time;
    record.boot_id = load_boot_id();
    const std::string name = lifecycle::run_record_file_name(record.pool, record.replica);
    const auto saved = records.save(name, lifecycle::to_json(record));
    return saved ? std::string{} : saved.error().message;
}

// The spec with the file instead of the store's name for it. What the store does not know may still
// lie in its folder, unseen.
Result<lifecycle::PoolSpec> with_model_file(lifecycle::PoolSpec spec, const FindModel& find_model) {
    if (!find_model || lifecycle::model_file(spec.model)) {
        return spec;
    }
    auto file = find_model(spec.model);
    if (file) {
        spec.model = std::move(*file);
    } else if (file.error().code != Errc::not_found) {
        return std::unexpected(std::move(file.error()));
    }
    return spec;
}

}  // namespace

EngineLauncher::EngineLauncher(
    LauncherConfig config, async::BlockingPool& blocking, RecordFolder& records
)
    : config_(std::move(config)), blocking_(blocking), records_(records) {}

Task<Result<LaunchedEngine>> EngineLauncher::launch(
    lifecycle::PoolSpec spec, ReplicaId replica, std::vector<lifecycle::GpuIdentity> gpus
) {
    // A process that has begun is told of, whatever happens to the task.
    co_await asio::this_coro::throw_if_cancelled(false);
    const Executor executor = co_await asio::this_coro::executor;
    const auto make_log = [&config = config_, id = spec.id, replica] {
        return next_log(config.log_dir, id, replica);
    };
    const Result<std::string> log = co_await blocking_.offload(make_log);
    if (!log) {
        co_return std::unexpected(log.error());
    }
    const auto port = choose_loopback_port();
    if (!port) {
        co_return std::unexpected(port.error());
    }
    auto planned = co_await plan(spec, std::move(gpus), *port);
    if (!planned) {
        co_return std::unexpected(planned.error());
    }
    const auto record_path = records_.path() / lifecycle::run_record_file_name(spec.id, replica);
    auto engine = spawn(executor, std::move(*planned), *log, record_path.string());
    if (engine) {
        const auto record = make_record(spec.id, replica, *engine);
        const auto save = [&records = records_, record] { return save_record(records, record); };
        engine->record_problem = co_await blocking_.offload(save);
    }
    co_return engine;
}

Task<Result<ModelFacts>> EngineLauncher::look_at_model(lifecycle::PoolSpec spec) {
    co_await asio::this_coro::throw_if_cancelled(false);
    const auto stored = with_model_file(std::move(spec), config_.find_model);
    if (!stored) {
        co_return std::unexpected(stored.error());
    }
    const auto read = [&config = config_, model = stored->model] {
        return load_model_facts(model, config.model_dir);
    };
    co_return co_await blocking_.offload(read);
}

Task<Result<EnginePlan>> EngineLauncher::plan(
    lifecycle::PoolSpec spec, std::vector<lifecycle::GpuIdentity> gpus, std::uint16_t port
) {
    co_await asio::this_coro::throw_if_cancelled(false);
    const auto stored = with_model_file(spec, config_.find_model);
    if (!stored) {
        co_return std::unexpected(stored.error());
    }
    const auto read = [&config = config_, stored = *stored] {
        return load_groundwork(config, stored);
    };
    const Result<Groundwork> ground = co_await blocking_.offload(read);
    if (!ground) {
        co_return std::unexpected(ground.error());
    }
    const auto start = make_start(config_, ground->model, port, std::move(gpus));
    co_return make_plan(spec, start, *ground);
}

}  // namespace orch::node::supervisor
