#include "apps/llorch/llorch.hpp"

#include "apps/llorch/command_line.hpp"
#include "apps/llorch/commands.hpp"
#include "base/version.hpp"

#include <stdexcept>
#include <utility>

namespace orch::llorch {
namespace {

ExitCode call_server(const CommandLine& line, ApiClient client, Console& console, WallTime now) {
    switch (line.command) {
        case Command::nodes:
            return nodes_command(client, line.json, console);
        case Command::nodes_add:
        case Command::nodes_remove:
        case Command::nodes_cordon:
        case Command::nodes_uncordon:
        case Command::nodes_drain:
        case Command::nodes_approve:
            return change_node_command(client, line.command, line.node, line.json, console);
        case Command::pools:
            return pools_command(client, line.json, unix_ms(now), console);
        case Command::pools_preload:
        case Command::pools_drain:
        case Command::pools_reload:
            return change_pool_command(
                client, line.command, line.pool, line.json, unix_ms(now), console
            );
        case Command::models:
            return models_command(client, line.json, console);
        case Command::health:
            return health_command(client, line.json, console);
        case Command::model:
            return model_command(client, line.model, line.json, console);
        case Command::run:
            return run_command(client, line.run, line.json, console);
        case Command::explain:
            return explain_command(client, line.explain, line.json, console);
        case Command::tasks_list:
            return tasks_list_command(client, line.task, line.json, unix_ms(now), console);
        case Command::tasks_show:
            return tasks_show_command(client, line.task, line.json, unix_ms(now), console);
        case Command::tasks_watch:
            return tasks_watch_command(client, line.task, line.json, console);
        case Command::tasks_cancel:
            return tasks_cancel_command(client, line.task, line.json, console);
        case Command::tasks_submit:
            return tasks_submit_command(client, line.task, line.json, console);
        case Command::token_new:
        case Command::token_rotate:
        case Command::audit_verify:
        case Command::version:
            break;
    }
    throw std::logic_error("this command needs no server");
}

}  // namespace

ExitCode run_llorch(
    std::vector<std::string> arguments,
    const Environment& environment,
    const Clock& clock,
    Console& console
) {
    const auto line = parse_command_line(std::move(arguments));
    if (!line) {
        std::ostream& where = line.error().code == ExitCode::ok ? console.out : console.err;
        where << line.error().text << std::flush;
        return line.error().code;
    }
    if (line->command == Command::version) {
        console.out << "llorch " << program_version() << '\n' << std::flush;
        return ExitCode::ok;
    }
    if (line->command == Command::token_new) {
        return token_command(line->token, console);
    }
    if (line->command == Command::token_rotate) {
        return rotate_command(line->rotate, console);
    }
    if (line->command == Command::audit_verify) {
        return audit_command(line->audit_folder, console);
    }
    auto endpoint = load_endpoint(line->endpoint, environment);
    if (!endpoint) {
        return report(console, endpoint.error());
    }
    return call_server(*line, ApiClient(std::move(*endpoint)), console, clock.wall());
}

}  // namespace orch::llorch
