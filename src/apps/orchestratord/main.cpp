#include "apps/orchestratord/home_node.hpp"
#include "async/async_clock.hpp"
#include "async/termination.hpp"
#include "base/daemon.hpp"
#include "base/log.hpp"
#include "base/state_lock.hpp"
#include "base/version.hpp"
#include "control/app/control_app.hpp"
#include "daemon/serve.hpp"
#include "node/app/node_app.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <exception>
#include <functional>
#include <iostream>
#include <optional>
#include <string>
#include <utility>

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

void say_how_to_join(const HostPort& bound, bool tls) {
    fmt::print(
        stderr,
        "join a GPU machine with: pool-managerd --orchestratord-url {}://{}:{} {}"
        "--api-token-file TOKEN_FILE --model FILE.gguf\n",
        tls ? "https" : "http",
        bound.host == "0.0.0.0" ? "THIS_HOST" : bound.host,
        bound.port,
        tls ? "--tls-ca CA_FILE " : ""
    );
}

void say_no_model() {
    fmt::print(
        stderr,
        "no model is set: start with --model FILE.gguf or --models FOLDER, or with `pools:` in a "
        "--config file\n"
    );
}

// The node of HOME: its lock, its application. Built after the control plane has bound, stopped
// before it.
class HomeNode {
public:
    // Errors: conflict, naming the folder that another process uses or the address.
    static Result<std::unique_ptr<HomeNode>> start(
        const node::app::NodeConfig& config,
        const LogConfig& log,
        async::AsyncClock& clock,
        LogOutput& output
    ) {
        auto lock = lock_state_dir(config.state_dir);
        if (!lock) {
            return std::unexpected(lock.error());
        }
        auto home =
            std::unique_ptr<HomeNode>(new HomeNode(std::move(*lock), config, log, clock, output));
        if (auto opened = home->app_.open_audit(); !opened) {
            return std::unexpected(opened.error());
        }
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

    void set_log(LogLevel level, LogFormat format) { app_.set_log(level, format); }

    std::string metrics_text() { return app_.metrics_text(); }

private:
    HomeNode(
        StateLock lock,
        const node::app::NodeConfig& config,
        const LogConfig& log,
        async::AsyncClock& clock,
        LogOutput& output
    )
        : lock_(std::move(lock)),
          sink_(with_ids(log, config), clock, output),
          app_(config, clock, sink_) {}

    static LogConfig with_ids(LogConfig log, const node::app::NodeConfig& config) {
        log.node_id = config.node_id.str();
        log.machine_id = config.machine_id.str();
        return log;
    }

    StateLock lock_;
    LogSink sink_;  // its lines name the node, unlike those of the control plane
    node::app::NodeApp app_;
};

// The settings once more, and what the control plane does with them when they are sound.
// `home`: the node of this process, or nullptr.
daemon::Reloader::Plan reload_plan(
    control::app::ControlApp& app, HomeNode* home, const SettingsSources& sources
) {
    return [&app, home, &sources](SettingsRead& read) -> std::function<void()> {
        auto config = control::app::make_control_config(read, sources);
        return [&app, home, config = std::move(config)] {
            app.apply(config);
            if (home != nullptr) {
                home->set_log(config.log_level, config.log_format);
            }
        };
    };
}

int stop_with(int code, const Error& error) {
    fmt::print(stderr, "orchestratord: {}\n", error.message);
    return code;
}

// The node joins at the public address, unless that speaks TLS.
Result<std::unique_ptr<HomeNode>> start_home(
    control::app::ControlApp& app,
    node::app::NodeConfig& config,
    const HostPort& bound,
    bool tls,
    const LogConfig& log,
    async::AsyncClock& clock,
    LogOutput& output
) {
    const auto joins_at = tls ? app.bind_private() : Result<HostPort>(bound);
    if (!joins_at) {
        return std::unexpected(joins_at.error());
    }
    join_control_plane(config, *joins_at);
    return HomeNode::start(config, log, clock, output);
}

void say_what_next(
    const ControlConfig& config,
    const std::optional<node::app::NodeConfig>& home,
    const HostPort& bound
) {
    if (config.profile.profile == Profile::cloud) {
        say_how_to_join(bound, !config.tls.cert.empty());
    } else if (home && home->pools.empty()) {
        say_no_model();
    }
}

LogConfig log_config_of(const ControlConfig& config) {
    LogConfig log;
    log.level = config.log_level;
    log.format = config.log_format;
    return log;
}

int run(
    const ControlConfig& config,
    std::optional<node::app::NodeConfig> home_config,
    const SettingsTable& table,
    const SettingsSources& sources,
    const SettingsRead& read
) {
    async::TerminationSignals signals;
    async::RealClock clock;
    const auto output = make_stderr_output();
    const LogConfig log_config = log_config_of(config);
    LogSink sink(log_config, clock, *output);
    const Logger log(sink, "orchestratord");
    say_profile(config.profile);
    for (const std::string& warning : read.warnings) {
        log.warn(warning);
    }
    control::app::ControlApp app(config, clock, sink);
    const auto bound = app.bind();
    if (!bound) {
        return stop_with(kExitCannotBind, bound.error());
    }
    const auto lock = lock_state_dir(config.state_dir);
    if (!lock) {
        return stop_with(kExitStateDir, lock.error());
    }
    if (const auto opened = app.open_audit(); !opened) {
        return stop_with(kExitStateDir, opened.error());
    }
    if (const auto opened = app.open_state(); !opened) {
        return stop_with(kExitStateDir, opened.error());
    }
    std::unique_ptr<HomeNode> home;
    if (home_config) {
        auto started = start_home(
            app, *home_config, *bound, !config.tls.cert.empty(), log_config, clock, *output
        );
        if (!started) {
            return stop_with(kExitStateDir, started.error());
        }
        home = std::move(*started);
        app.add_metrics([&home = *home] { return home.metrics_text(); });
    }
    daemon::Reloader reloader(
        {table, sources, "ORCHESTRATORD", reload_plan(app, home.get(), sources)},
        read,
        app.reload_parts(),
        Logger(sink, "reload")
    );
    app.set_reload([&reloader] { return reloader.reload(); });
    app.start();
    announce_listening(*bound);
    say_what_next(config, home_config, *bound);
    daemon::serve_until_stopped(signals, reloader, log);
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
        return run(config, std::move(home), table, sources, read);
    } catch (const std::exception& e) {
        fmt::print(stderr, "orchestratord: {}\n", e.what());
        return kExitFailed;
    }
}
