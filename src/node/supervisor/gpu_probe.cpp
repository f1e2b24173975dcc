#include "node/supervisor/gpu_probe.hpp"

#include "async/child_process.hpp"
#include "async/with_deadline.hpp"
#include "base/file.hpp"
#include "base/text.hpp"

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <optional>
#include <system_error>
#include <utility>

namespace orch::node::supervisor {
namespace {

namespace fs = std::filesystem;

std::optional<std::string> find_program(const GpuProbeConfig& config) {
    if (config.program.contains('/')) {
        return ::access(config.program.c_str(), X_OK) == 0 ? std::optional(config.program)
                                                           : std::nullopt;
    }
    const auto path = config.environment.find("PATH");
    if (path == config.environment.end()) {
        return std::nullopt;
    }
    for (const std::string_view folder : split(path->second, ':')) {
        std::string candidate = (fs::path(folder) / config.program).string();
        if (!folder.empty() && ::access(candidate.c_str(), X_OK) == 0) {
            return candidate;
        }
    }
    return std::nullopt;
}

Task<Result<async::ChildExit>> wait_for(async::ChildProcess& child) {
    const async::ChildExit exit = co_await child.wait();
    co_return exit;
}

// Runs the program to its end, or kills it at the limit. Returns what it wrote.
Task<Result<std::string>> run(async::AsyncClock& clock, async::ChildSpec spec, Duration limit) {
    co_await asio::this_coro::throw_if_cancelled(false);
    const Executor executor = co_await asio::this_coro::executor;
    std::error_code ignored;
    fs::remove(spec.output, ignored);
    auto child = async::ChildProcess::start(executor, spec);
    if (!child) {
        co_return std::unexpected(std::move(child.error()));
    }
    const Instant deadline = clock.now() + limit;
    Task<Result<async::ChildExit>> end = wait_for(*child);
    const auto exit =
        co_await async::with_deadline(clock, deadline, "no answer in time", std::move(end));
    if (!exit || exit->signal < 0) {
        child->signal(SIGKILL);
        co_await child->wait();
        co_return fail(Errc::internal, fmt::format("{}: no answer in time", spec.argv.front()));
    }
    auto output = load_file(spec.output.string());
    fs::remove(spec.output, ignored);
    if (exit->code == 0 && exit->signal == 0) {
        co_return output;
    }
    if (output) {
        if (const auto complaint = inventory::parse_nvidia_smi(*output); !complaint) {
            co_return std::unexpected(complaint.error());
        }
    }
    co_return fail(Errc::internal, fmt::format("{}: {}", spec.argv.front(), exit->text()));
}

}  // namespace

GpuProbe::GpuProbe(GpuProbeConfig config, async::AsyncClock& clock, Logger log)
    : config_(std::move(config)), clock_(clock), log_(std::move(log)) {}

Task<std::vector<inventory::Gpu>> GpuProbe::load_gpus() {
    const auto program = find_program(config_);
    if (!program) {
        if (!std::exchange(absence_told_, true)) {
            log_.info("no GPUs: the program is not installed", {{"program", config_.program}});
        }
        last_.clear();
        co_return last_;
    }
    async::ChildSpec spec;
    spec.argv = inventory::nvidia_smi_arguments();
    spec.argv.insert(spec.argv.begin(), *program);
    spec.environment = config_.environment;
    spec.output = config_.scratch_dir / "gpu-probe.out";
    const auto output = co_await run(clock_, std::move(spec), config_.limit);
    auto reading = output ? inventory::parse_nvidia_smi(*output)
                          : Result<inventory::GpuReading>(std::unexpected(output.error()));
    if (!reading) {
        complain(reading.error().message);
        co_return last_;
    }
    complain(reading->problems.empty() ? std::string{} : reading->problems.front());
    last_ = std::move(reading->gpus);
    co_return last_;
}

void GpuProbe::complain(const std::string& why) {
    if (std::exchange(complaint_, why) != why && !why.empty()) {
        log_.warn("the GPUs are not read as they should be", {{"reason", why}});
    }
}

}  // namespace orch::node::supervisor
