#include "async/async_clock.hpp"
#include "async/termination.hpp"
#include "base/daemon.hpp"
#include "base/log.hpp"
#include "base/state_lock.hpp"
#include "daemon/serve.hpp"
#include "node/app/node_app.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <exception>
#include <functional>
#include <iostream>
#include <utility>

namespace orch {
namespace {

// The settings once more, and what the node does with them when they are sound.
daemon::Reloader::Plan reload_plan(node::app::NodeApp& app, const SettingsSources& sources) {
    return [&app, &sources](SettingsRead& read) -> std::function<void()> {
        auto config = node::app::make_node_config(read, sources);
        return [&app, config = std::move(config)] { app.apply(config); };
    };
}

int run(
    const node::app::NodeConfig& config,
    const SettingsTable& table,
    const SettingsSources& sources,
    const SettingsRead& read
) {
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
    if (const auto opened = app.open_audit(); !opened) {
        fmt::print(stderr, "pool-managerd: {}\n", opened.error().message);
        return kExitStateDir;
    }
    daemon::Reloader reloader(
        {table, sources, "POOL_MANAGERD", reload_plan(app, sources)},
        read,
        app.reload_parts(),
        Logger(sink, "reload")
    );
    app.set_reload([&reloader] { return reloader.reload(); });
    announce_listening(*bound);
    app.start();
    daemon::serve_until_stopped(signals, reloader, log);
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
        return run(config, table, sources, read);
    } catch (const std::exception& e) {
        fmt::print(stderr, "pool-managerd: {}\n", e.what());
        return kExitFailed;
    }
}
