#include "apps/orchestratord/home_node.hpp"
#include "async/async_clock.hpp"
#include "async/termination.hpp"
#include "base/daemon.hpp"
#include "base/log.hpp"
#include "base/state_lock.hpp"
#include "base/version.hpp"
#include "control/app/control_app.hpp"
#include "node/app/node_app.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <exception>
#include <iostream>
#include <optional>
#include <string>

namespace orch {
namespace {

using control::app::ControlConfig;
using control::app::Profile;

constexpr Duration kGrace = std::chrono::seconds(10);

void say_profile(const control::app::ProfileChoice& profile) {
    fmt::print(
        stderr,
        "orchestratord {}: {} profile, because {}\n",
        program_version(),
        control::app::to_string(profile.profile),
        profile.reason
    );
}

void say_how_to_join(const HostPort& bound) {
    fmt::print(
        stderr,
        "join a GPU machine with: pool-managerd --orchestratord-url http://{}:{} "
        "--api-token-file TOKEN_FILE --model FILE.gguf\n",
        bound.host == "0.0.0.0" ? "THIS_HOST" : bound.host,
        bound.port
    );
}

void say_no_model() {
    fmt::print(
        stderr, "no model is set: start with --model FILE.gguf, or `pools:` in a --config file\n"
    );
}

// The node of HOME: its lock, its application. Built after the control plane has bound, stopped
// before it.
class HomeNode {
public:
    // Errors: conflict, naming the folder that another process uses or the address.
    static Result<std::unique_ptr<HomeNode>> start(
        const node::app::NodeConfig& config, async::AsyncClock& clock, LogSink& sink
    ) {
        auto lock = lock_state_dir(config.state_dir);
        if (!lock) {
            return std::unexpected(lock.error());
        }
        auto home = std::unique_ptr<HomeNode>(new HomeNode(std::move(*lock), config, clock, sink));
        if (auto bound = home->app_.bind(); !bound) {
            return std::unexpected(bound.error());
        }
        if (auto opened = home->app_.open_state(); !opened) {
            return std::unexpected(opened.error());
        }
        home->app_.start();
        return home;
    }

    void stop() { app_.stop(); }

private:
    HomeNode(
        StateLock lock, const node::app::NodeConfig& config, async::AsyncClock& clock, LogSink& sink
    )
        : lock_(std::move(lock)), app_(config, clock, sink) {}

    StateLock lock_;
    node::app::NodeApp app_;
};

void serve_until_stopped(async::TerminationSignals& signals, const Logger& log) {
    while (signals.wait() == SIGHUP) {
        log.info("SIGHUP: no setting is re-read yet");
    }
    log.info("stopping");
}

int run(
    const ControlConfig& config,
    std::optional<node::app::NodeConfig> home_config,
    const SettingsRead& read
) {
    async::TerminationSignals signals;
    async::RealClock clock;
    const auto output = make_stderr_output();
    LogConfig log_config;
    log_config.level = config.log_level;
    log_config.format = config.log_format;
    LogSink sink(log_config, clock, *output);
    const Logger log(sink, "orchestratord");
    say_profile(config.profile);
    for (const std::string& warning : read.warnings) {
        log.warn(warning);
    }
    control::app::ControlApp app(config, clock, sink);
    const auto bound = app.bind();
    if (!bound) {
        fmt::print(stderr, "orchestratord: {}\n", bound.error().message);
        return kExitCannotBind;
    }
    const auto lock = lock_state_dir(config.state_dir);
    if (!lock) {
        fmt::print(stderr, "orchestratord: {}\n", lock.error().message);
        return kExitStateDir;
    }
    if (const auto opened = app.open_state(); !opened) {
        fmt::print(stderr, "orchestratord: {}\n", opened.error().message);
        return kExitStateDir;
    }
    std::unique_ptr<HomeNode> home;
    if (home_config) {
        join_control_plane(*home_config, *bound);
        auto started = HomeNode::start(*home_config, clock, sink);
        if (!started) {
            fmt::print(stderr, "orchestratord: {}\n", started.error().message);
            return kExitStateDir;
        }
        home = std::move(*started);
    }
    app.start();
    announce_listening(*bound);
    if (config.profile.profile == Profile::cloud) {
        say_how_to_join(*bound);
    } else if (home_config && home_config->pools.empty()) {
        say_no_model();
    }
    serve_until_stopped(signals, log);
    if (home) {
        home->stop();
    }
    app.stop(kGrace);
    return kExitOk;
}

}  // namespace
}  // namespace orch

int main(int argc, char** argv) {
    using namespace orch;
    try {
        const SettingsTable table = control::app::control_settings();
        const SettingsSources sources = process_sources(argc, argv, environ);
        SettingsRead read = load_settings(table, sources);
        auto config = control::app::make_control_config(read, sources);
        std::optional<node::app::NodeConfig> home;
        if (control::app::runs_home_node(config)) {
            home = make_home_node(read, sources, config);
        }
        if (const auto code = settings_exit(table, read, std::cout, std::cerr)) {
            return *code;
        }
        keep_files_private();
        if (!raise_file_limit()) {
            fmt::print(stderr, "orchestratord: the limit of open files stays as it is\n");
        }
        return run(config, std::move(home), read);
    } catch (const std::exception& e) {
        fmt::print(stderr, "orchestratord: {}\n", e.what());
        return kExitFailed;
    }
}
