#pragma once

#include "apps/llorch/api_client.hpp"
#include "apps/llorch/command_line.hpp"
#include "apps/llorch/console.hpp"

#include <cstdint>
#include <functional>

// One function per command: calls, prints, tells the exit code. Each in a file of its own.
namespace orch::llorch {

ExitCode nodes_command(ApiClient& client, bool json, Console& console);
ExitCode change_node_command(
    ApiClient& client, Command command, const NodeOptions& options, bool json, Console& console
);
ExitCode pools_command(ApiClient& client, bool json, std::int64_t now_ms, Console& console);
ExitCode change_pool_command(
    ApiClient& client,
    Command command,
    const PoolOptions& options,
    bool json,
    std::int64_t now_ms,
    Console& console
);
ExitCode models_command(ApiClient& client, bool json, Console& console);
ExitCode model_command(ApiClient& client, const ModelOptions& options, bool json, Console& console);
ExitCode health_command(ApiClient& client, bool json, Console& console);
ExitCode explain_command(
    ApiClient& client, const ExplainOptions& options, bool json, Console& console
);
ExitCode run_command(ApiClient& client, const RunOptions& options, bool json, Console& console);
ExitCode tasks_list_command(
    ApiClient& client, const TaskOptions& options, bool json, std::int64_t now_ms, Console& console
);
ExitCode tasks_show_command(
    ApiClient& client, const TaskOptions& options, bool json, std::int64_t now_ms, Console& console
);
ExitCode tasks_watch_command(
    ApiClient& client, const TaskOptions& options, bool json, Console& console
);
ExitCode tasks_cancel_command(
    ApiClient& client, const TaskOptions& options, bool json, Console& console
);
ExitCode tasks_submit_command(
    ApiClient& client, const TaskOptions& options, bool json, Console& console
);

// Needs no server.
ExitCode token_command(const TokenOptions& options, Console& console);
ExitCode rotate_command(const RotateOptions& options, Console& console);
ExitCode audit_command(const std::string& folder, Console& console);

// Makes the text of a list from the body of its answer.
using Format = std::function<Result<std::string>(const std::string& body)>;

// Prints the body of an answer as it came or the text that `format` makes of it; `what` is what was
// asked, for a body that is not understood.
ExitCode print_answer(
    const Outcome<Answer>& answer,
    bool json,
    const Format& format,
    const std::string& what,
    Console& console
);

// GETs `path` and prints the body as it came or the text that `format` makes of it.
ExitCode print_get(
    ApiClient& client, const std::string& path, bool json, const Format& format, Console& console
);

}  // namespace orch::llorch
