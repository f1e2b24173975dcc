#include "apps/engine_sim/sim_options.hpp"
#include "apps/engine_sim/sim_server.hpp"

#include <boost/asio/basic_signal_set.hpp>
#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>

namespace orch::engine_sim {
namespace {

using Signals = asio::basic_signal_set<Executor>;

// The first signal asks, the second one tells; while the model is loaded nobody listens yet.
Task<void> obey(SimServer& server, Signals& signals, async::TaskGroup& group) {
    const auto [failure, number] = co_await signals.async_wait(use_tuple);
    if (failure) {
        co_return;
    }
    if (server.loading()) {
        std::signal(number, SIG_DFL);
        std::raise(number);
    }
    bool idle = false;
    server.stop([&] {
        idle = true;
        signals.cancel();
        group.spawn(server.wind_down());
    });
    if (idle) {
        co_return;
    }
    const auto [cancelled, again] = co_await signals.async_wait(use_tuple);
    if (!cancelled) {
        std::_Exit(1);
    }
}

int run(const SimOptions& options) {
    async::RealClock clock;
    asio::io_context context{1};
    SimServer server(options, clock, context);
    const auto address = server.bind();
    if (!address) {
        fmt::print(stderr, "error: {}\n", address.error().message);
        return 1;
    }
    fmt::print(stderr, "engine-sim: bound to http://{}\n", to_string(*address));
    Signals signals(context.get_executor(), SIGTERM, SIGINT);
    async::TaskGroup group(context.get_executor(), [](const std::string& what) {
        fmt::print(stderr, "error: {}\n", what);
    });
    group.spawn(obey(server, signals, group));
    server.start([&address] {
        fmt::print(stderr, "main: model loaded\n");
        fmt::print(stderr, "main: server is listening on http://{}\n", to_string(*address));
    });
    context.run();
    return 0;
}

}  // namespace
}  // namespace orch::engine_sim

int main(int argc, char** argv) {
    const auto options = orch::engine_sim::read_options({argv + 1, argv + argc});
    if (!options) {
        std::fputs(options.error().text.c_str(), stderr);
        return options.error().code;
    }
    return orch::engine_sim::run(*options);
}
