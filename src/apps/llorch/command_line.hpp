#pragma once

#include "apps/llorch/endpoint.hpp"
#include "apps/llorch/exit_code.hpp"
#include "apps/llorch/model_options.hpp"

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

namespace orch::llorch {

enum class Command {
    nodes,
    nodes_add,
    nodes_remove,
    nodes_cordon,
    nodes_uncordon,
    nodes_drain,
    nodes_approve,
    pools,
    pools_preload,
    pools_drain,
    pools_reload,
    models,
    model,
    run,
    explain,
    tasks_list,
    tasks_show,
    tasks_watch,
    tasks_cancel,
    tasks_submit,
    health,
    token_new,
    token_rotate,
    audit_verify,
    version
};

// Which node to change, and how.
struct NodeOptions {
    std::string url;                // of the one to add
    std::string id;                 // of any other
    std::uint32_t wait_secs = 600;  // how long a drain may take
};

// Which pool to change, and how.
struct PoolOptions {
    std::string id;                // "chat", or "gpu-1/chat"
    std::string model;             // of one that is reloaded: a file there, or a name of its store
    std::uint32_t wait_secs = 60;  // how long its work may take
};

struct RunOptions {
    std::string model;
    std::string prompt;  // "-": standard input
    std::optional<std::string> system;
    std::optional<std::uint32_t> max_tokens;
    std::optional<double> temperature;
    bool no_stream = false;
};

// Where a request of this kind would go.
struct ExplainOptions {
    std::string model;
    std::optional<std::string> session;
    std::optional<std::string> engine;
    std::optional<std::uint32_t> ctx;
    std::optional<std::string> device_mask;
    std::optional<std::string> node;
    std::optional<std::string> pool;
    std::vector<std::string> prefer;  // pools
    std::vector<std::string> avoid;
    std::vector<std::string> labels;  // NAME=VALUE
    bool fallback = false;
};

struct TaskOptions {
    std::string id;                    // show, watch, cancel
    std::optional<std::string> state;  // list
    std::uint32_t limit = 100;
    std::string model;   // submit
    std::string prompt;  // "-": standard input
    bool batch = false;
    std::optional<std::uint32_t> max_tokens;
    std::optional<std::uint64_t> deadline_ms;
    std::optional<std::string> task_id;
};

struct TokenOptions {
    std::string out = "llorch.token";
    std::optional<std::string> url;  // at which other machines reach the control plane
};

// Which step of a rotation.
enum class RotationStep { add, send_new, drop_old };

struct RotateOptions {
    std::string file = "llorch.token";
    RotationStep step = RotationStep::add;
};

// What the user asks for.
struct CommandLine {
    Command command = Command::version;
    EndpointFlags endpoint;
    bool json = false;  // print the server's body as it came
    ModelOptions model;
    NodeOptions node;
    PoolOptions pool;
    RunOptions run;
    ExplainOptions explain;
    TaskOptions task;
    TokenOptions token;
    RotateOptions rotate;
    std::string audit_folder;
};

// The command line asks for a text, or is wrong.
struct ParsedToText {
    ExitCode code = ExitCode::usage;  // ok: the text is what was asked for
    std::string text;
};

// `arguments` without the program's name. Pure.
std::expected<CommandLine, ParsedToText> parse_command_line(std::vector<std::string> arguments);

}  // namespace orch::llorch
