#include "async/async_clock.hpp"
#include "async/termination.hpp"
#include "base/daemon.hpp"
#include "base/log.hpp"
#include "base/state_lock.hpp"
#include "node/app/node_app.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <exception>
#include <iostream>

namespace orch {
namespace {

int run(const node::app::NodeConfig& config, const SettingsRead& read) {
    async::TerminationSignals signals;
    async::RealClock clock;
    const auto output = make_stderr_output();
    LogConfig log_config;
    log_config.level = config.log_level;
    log_config.format = config.log_format;
    log_config.node_id = config.node_id.str();
    log_config.machine_id = config.machine_id.str();
    LogSink sink(log_config, clock, *output);
    const Logger log(sink, "pool-managerd");
    for (const std::string& warning : read.warnings) {
        log.warn(warning);
    }
    node::app::NodeApp app(config, clock, sink);
    const auto bound = app.bind();
    if (!bound) {
        fmt::print(stderr, "pool-managerd: {}\n", bound.error().message);
        return kExitCannotBind;
    }
    const auto lock = lock_state_dir(config.state_dir);
    if (!lock) {
        fmt::print(stderr, "pool-managerd: {}\n", lock.error().message);
        return kExitStateDir;
    }
    if (const auto opened = app.open_state(); !opened) {
        fmt::print(stderr, "pool-managerd: {}\n", opened.error().message);
        return kExitStateDir;
    }
    announce_listening(*bound);
    app.start();
    while (signals.wait() == SIGHUP) {
        log.info("SIGHUP: no setting is re-read yet");
    }
    log.info("stopping");
    app.stop();
    return kExitOk;
}

}  // namespace
}  // namespace orch

int main(int argc, char** argv) {
    using namespace orch;
    try {
        const SettingsTable table = node::app::node_settings();
        const SettingsSources sources = process_sources(argc, argv, environ);
        SettingsRead read = load_settings(table, sources);
        const auto config = node::app::make_node_config(read, sources);
        if (const auto code = settings_exit(table, read, std::cout, std::cerr)) {
            return *code;
        }
        keep_files_private();
        if (!raise_file_limit()) {
            fmt::print(stderr, "pool-managerd: the limit of open files stays as it is\n");
        }
        return run(config, read);
    } catch (const std::exception& e) {
        fmt::print(stderr, "pool-managerd: {}\n", e.what());
        return kExitFailed;
    }
}
