#include "async/async_clock.hpp"
#include "async/termination.hpp"
#include "base/log.hpp"
#include "base/version.hpp"
#include "control/app/control_app.hpp"

#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <iostream>
#include <string>

namespace orch {
namespace {

constexpr int kExitFailed = 1;
constexpr int kExitCannotBind = 3;
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

void say_how_to_join(const control::app::ControlConfig& config, const HostPort& bound) {
    if (config.profile.profile == control::app::Profile::cloud) {
        fmt::print(
            stderr,
            "join a GPU machine with: pool-managerd --orchestratord-url http://{}:{} "
            "--api-token-file TOKEN_FILE --model FILE.gguf\n",
            bound.host == "0.0.0.0" ? "THIS_HOST" : bound.host,
            bound.port
        );
    }
}

void announce(const HostPort& bound) {
    fmt::print("{{\"event\":\"listening\",\"address\":\"{}\"}}\n", to_string(bound));
    std::fflush(stdout);
}

int run(const control::app::ControlConfig& config, const SettingsRead& read) {
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
    announce(*bound);
    say_how_to_join(config, *bound);
    app.start();
    while (signals.wait() == SIGHUP) {
        log.info("SIGHUP: no setting is re-read yet");
    }
    log.info("stopping");
    app.stop(kGrace);
    return 0;
}

}  // namespace
}  // namespace orch

int main(int argc, char** argv) {
    using namespace orch;
    try {
        const SettingsTable table = control::app::control_settings();
        const SettingsSources sources = process_sources(argc, argv, environ);
        SettingsRead read = load_settings(table, sources);
        const auto config = control::app::make_control_config(read, sources);
        if (const auto code = settings_exit(table, read, std::cout, std::cerr)) {
            return *code;
        }
        return run(config, read);
    } catch (const std::exception& e) {
        fmt::print(stderr, "orchestratord: {}\n", e.what());
        return kExitFailed;
    }
}
