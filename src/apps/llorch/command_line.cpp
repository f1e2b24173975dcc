#include "apps/llorch/command_line.hpp"

#include "apps/llorch/help_text.hpp"
#include "apps/llorch/model_command_line.hpp"
#include "apps/llorch/printable.hpp"
#include "base/strong_id.hpp"
#include "base/version.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <limits>

namespace orch::llorch {
namespace {

// A line with commands below it; options that belong to the whole may stand behind the command.
void prepare(CLI::App& app) {
    app.require_subcommand(1);
    app.fallthrough();
}

CLI::App* add_command(CLI::App& parent, CommandLine& line, Command command, const char* name) {
    CLI::App* const added = parent.add_subcommand(name, std::string(summary_of(command)));
    added->footer(std::string(footer_of(command)));
    added->parse_complete_callback([&line, command] { line.command = command; });
    return added;
}

void add_json_flag(CLI::App& command, CommandLine& line) {
    command.add_flag("--json", line.json, "Print the server's body as it came");
}

void add_endpoint_flags(CLI::App& app, EndpointFlags& flags) {
    app.add_option("--url", flags.url, "Where orchestratord answers [LLORCH_URL]")
        ->type_name("URL");
    CLI::Option* const token =
        app.add_option("--api-token", flags.api_token, "The token to send [LLORCH_API_TOKEN]")
            ->type_name("TOKEN");
    app.add_option(
           "--api-token-file",
           flags.api_token_file,
           "The file that holds it, one a line: the first is sent [LLORCH_API_TOKEN_FILE]"
    )
        ->type_name("FILE")
        ->excludes(token);
    const auto add_file = [&app](
                              const char* name, std::optional<std::string>& value, const char* what
                          ) { app.add_option(name, value, what)->type_name("FILE"); };
    add_file("--tls-ca", flags.tls_ca, "CAs to trust for an https URL [LLORCH_TLS_CA]");
    add_file("--tls-cert", flags.tls_cert, "A certificate to show, for mTLS [LLORCH_TLS_CERT]");
    add_file("--tls-key", flags.tls_key, "Its key [LLORCH_TLS_KEY]");
}

void add_list(CLI::App& app, CommandLine& line, Command command, const char* name) {
    add_json_flag(*add_command(app, line, command, name), line);
}

void add_node_change(CLI::App& nodes, CommandLine& line, Command command, const char* name) {
    CLI::App& change = *add_command(nodes, line, command, name);
    change.add_option("ID", line.node.id, "The node, as `llorch nodes` names it")
        ->type_name("")
        ->required();
    if (command == Command::nodes_drain) {
        change
            .add_option("--wait-secs", line.node.wait_secs, "How long to wait for its work to end")
            ->type_name("N")
            ->check(CLI::Range(0, 3600).description(""))
            ->capture_default_str();
    }
    add_json_flag(change, line);
}

// Alone it lists; with a word behind it it changes one thing.
CLI::App& add_list_of_changeable(
    CLI::App& app, CommandLine& line, Command command, const char* name
) {
    CLI::App& list = *add_command(app, line, command, name);
    add_json_flag(list, line);
    list.require_subcommand(0, 1);
    list.fallthrough();
    list.parse_complete_callback([&line, &list, command] {
        line.command = list.get_subcommands().empty() ? command : line.command;
    });
    return list;
}

void add_nodes(CLI::App& app, CommandLine& line) {
    CLI::App& nodes = add_list_of_changeable(app, line, Command::nodes, "nodes");
    CLI::App& added = *add_command(nodes, line, Command::nodes_add, "add");
    added.add_option("URL", line.node.url, "Where its pool-managerd answers: http://host:9200")
        ->type_name("")
        ->required();
    add_json_flag(added, line);
    add_node_change(nodes, line, Command::nodes_remove, "remove");
    add_node_change(nodes, line, Command::nodes_cordon, "cordon");
    add_node_change(nodes, line, Command::nodes_uncordon, "uncordon");
    add_node_change(nodes, line, Command::nodes_drain, "drain");
    add_node_change(nodes, line, Command::nodes_approve, "approve");
}

void add_pool_change(CLI::App& pools, CommandLine& line, Command command, const char* name) {
    CLI::App& change = *add_command(pools, line, command, name);
    change
        .add_option(
            "POOL", line.pool.id, "chat, or gpu-1/chat where several machines have a pool chat"
        )
        ->type_name("")
        ->required();
    if (command == Command::pools_reload) {
        change
            .add_option("MODEL", line.pool.model, "A file on its machine, or a name in its store")
            ->type_name("")
            ->required();
    }
    if (command != Command::pools_preload) {
        const bool drains = command == Command::pools_drain;
        change
            .add_option(
                "--wait-secs",
                line.pool.wait_secs,
                drains ? "How long its work may take; then it is ended"
                       : "How long its work may take; then nothing is changed"
            )
            ->type_name("N")
            ->check(CLI::Range(0, 3600).description(""))
            ->capture_default_str();
    }
    add_json_flag(change, line);
}

void add_pools(CLI::App& app, CommandLine& line) {
    CLI::App& pools = add_list_of_changeable(app, line, Command::pools, "pools");
    add_pool_change(pools, line, Command::pools_preload, "preload");
    add_pool_change(pools, line, Command::pools_drain, "drain");
    add_pool_change(pools, line, Command::pools_reload, "reload");
}

void add_run(CLI::App& app, CommandLine& line) {
    CLI::App& run = *add_command(app, line, Command::run, "run");
    RunOptions& options = line.run;
    run.add_option("MODEL", options.model, "A name that `llorch models` lists, or an alias")
        ->type_name("")
        ->required();
    run.add_option("PROMPT", options.prompt, "What to say; - reads it from standard input")
        ->type_name("")
        ->required();
    run.add_option("--system", options.system, "The system message")->type_name("TEXT");
    run.add_option("--max-tokens", options.max_tokens, "Stop after so many tokens")
        ->type_name("N")
        ->check(CLI::Range(1, std::numeric_limits<int>::max()).description(""));
    run.add_option("--temperature", options.temperature, "0 always picks the likeliest token")
        ->type_name("T")
        ->check(CLI::Range(0.0, 100.0).description(""));
    run.add_flag("--no-stream", options.no_stream, "Print the answer when it is complete");
    add_json_flag(run, line);
}

// What POST /v2/tasks/preview can be asked.
void add_explain(CLI::App& app, CommandLine& line) {
    CLI::App& explain = *add_command(app, line, Command::explain, "explain");
    ExplainOptions& options = line.explain;
    explain.add_option("MODEL", options.model, "A name that `llorch models` lists, or an alias")
        ->type_name("")
        ->required();
    const auto add = [&explain](const char* name, auto& value, const char* type, const char* what) {
        explain.add_option(name, value, what)->type_name(type);
    };
    add("--session", options.session, "ID", "As with this X-Session-Id");
    add("--engine", options.engine, "FAMILY", "Only pools of this engine");
    add("--ctx", options.ctx, "N", "Only pools whose slots hold so many tokens");
    add("--device-mask", options.device_mask, "MASK", "Only pools on exactly these devices");
    add("--node", options.node, "ID", "Only this node");
    add("--pool", options.pool, "ID", "Only pools of this id");
    add("--prefer", options.prefer, "POOL", "Rather these pools; may be repeated");
    add("--avoid", options.avoid, "POOL", "Never these pools; may be repeated");
    add("--label", options.labels, "NAME=VALUE", "Only pools with this label; may be repeated");
    explain.add_flag("--fallback", options.fallback, "Elsewhere if --node or --pool cannot serve");
    add_json_flag(explain, line);
}

CLI::App& add_task_command(CLI::App& tasks, CommandLine& line, Command command, const char* name) {
    CLI::App& added = *add_command(tasks, line, command, name);
    added.add_option("TASK", line.task.id, "Its id, as `llorch tasks list` shows it")
        ->type_name("")
        ->required()
        ->check(CLI::Validator(
            [](std::string& id) { return valid_id(id) ? "" : "is not the id of a task"; }, ""
        ));
    add_json_flag(added, line);
    return added;
}

void add_tasks_submit(CLI::App& tasks, CommandLine& line) {
    CLI::App& submit = *add_command(tasks, line, Command::tasks_submit, "submit");
    TaskOptions& options = line.task;
    submit.add_option("MODEL", options.model, "A name that `llorch models` lists, or an alias")
        ->type_name("")
        ->required();
    submit.add_option("PROMPT", options.prompt, "The text to go on with; - reads standard input")
        ->type_name("")
        ->required();
    submit.add_flag("--batch", options.batch, "It is in no hurry");
    submit.add_option("--max-tokens", options.max_tokens, "Stop after so many tokens")
        ->type_name("N");
    submit.add_option("--deadline-ms", options.deadline_ms, "How long it may wait for a slot")
        ->type_name("MS");
    submit
        .add_option("--task-id", options.task_id, "An id of your own: the same again is one task")
        ->type_name("ID");
    add_json_flag(submit, line);
}

void add_tasks(CLI::App& app, CommandLine& line) {
    CLI::App& tasks = *app.add_subcommand("tasks", "Work that runs without anybody waiting");
    tasks.footer("");
    prepare(tasks);
    CLI::App& list = *add_command(tasks, line, Command::tasks_list, "list");
    list.add_option("--state", line.task.state, "Only those in this state")
        ->type_name("STATE")
        ->check(CLI::IsMember({"queued", "running", "done", "failed", "canceled"}));
    list.add_option("--limit", line.task.limit, "At most so many")
        ->type_name("N")
        ->check(CLI::Range(1, 1000).description(""))
        ->capture_default_str();
    add_json_flag(list, line);
    add_task_command(tasks, line, Command::tasks_show, "show");
    add_task_command(tasks, line, Command::tasks_watch, "watch");
    add_task_command(tasks, line, Command::tasks_cancel, "cancel");
    add_tasks_submit(tasks, line);
}

void add_token(CLI::App& app, CommandLine& line) {
    CLI::App& token = *app.add_subcommand("token", "Tokens of the cluster");
    token.footer("");
    prepare(token);
    CLI::App& made = *add_command(token, line, Command::token_new, "new");
    made.add_option("--out", line.token.out, "The file to write; an existing one is kept")
        ->type_name("FILE")
        ->capture_default_str();
    made.add_option("--url", line.token.url, "Where other machines will reach orchestratord")
        ->type_name("URL");
    CLI::App& rotate = *add_command(token, line, Command::token_rotate, "rotate");
    rotate.add_option("--file", line.rotate.file, "The token file to change")
        ->type_name("FILE")
        ->capture_default_str();
    const auto step = [&line](RotationStep chosen) {
        return [&line, chosen](std::int64_t) { line.rotate.step = chosen; };
    };
    CLI::Option* const send = rotate.add_flag(
        "--send-new", step(RotationStep::send_new), "Step 2: let the daemons send the new token"
    );
    rotate.add_flag("--drop-old", step(RotationStep::drop_old), "Step 3: remove the old token")
        ->excludes(send);
}

void add_audit(CLI::App& app, CommandLine& line) {
    CLI::App& audit = *app.add_subcommand("audit", "The audit log of a daemon");
    audit.footer("");
    prepare(audit);
    CLI::App& verify = *add_command(audit, line, Command::audit_verify, "verify");
    verify.add_option("DIR", line.audit_folder, "The folder audit/ of a state directory")
        ->type_name("")
        ->required();
}

void describe(CLI::App& app, CommandLine& line) {
    prepare(app);
    app.set_version_flag("--version", fmt::format("llorch {}", program_version()));
    add_endpoint_flags(app, line.endpoint);
    add_nodes(app, line);
    add_pools(app, line);
    add_list(app, line, Command::models, "models");
    add_model_commands(app, line);
    add_run(app, line);
    add_explain(app, line);
    add_tasks(app, line);
    add_list(app, line, Command::health, "health");
    add_token(app, line);
    add_audit(app, line);
    add_command(app, line, Command::version, "version");
    app.footer(std::string(main_footer()));
}

// CLI11 only says that a command is missing when there is one that it does not know.
std::string complaint(const CLI::App& app, const CLI::ParseError& stop) {
    const std::vector<std::string> unknown = app.remaining(true);
    const bool no_command = dynamic_cast<const CLI::RequiredError*>(&stop) != nullptr;
    if (no_command && !unknown.empty()) {
        return fmt::format("not known: {}", printable(unknown.front()));
    }
    return printable(stop.what());
}

ParsedToText text_of(const CLI::App& app, const CLI::ParseError& stop) {
    if (dynamic_cast<const CLI::CallForHelp*>(&stop) != nullptr) {
        return {ExitCode::ok, app.help()};
    }
    if (stop.get_exit_code() == 0) {
        return {ExitCode::ok, fmt::format("{}\n", stop.what())};
    }
    return {
        ExitCode::usage, fmt::format("llorch: {}\n  see llorch --help\n", complaint(app, stop))
    };
}

}  // namespace

std::expected<CommandLine, ParsedToText> parse_command_line(std::vector<std::string> arguments) {
    CommandLine line;
    CLI::App app(std::string(program_summary()), "llorch");
    describe(app, line);
    std::ranges::reverse(arguments);  // as CLI11 takes them
    try {
        app.parse(std::move(arguments));
    } catch (const CLI::ParseError& stop) {
        return std::unexpected(text_of(app, stop));
    }
    if (!line.token.url) {
        line.token.url = line.endpoint.url;
    }
    return line;
}

}  // namespace orch::llorch
