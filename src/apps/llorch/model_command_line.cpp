#include "apps/llorch/model_command_line.hpp"

#include "apps/llorch/help_text.hpp"

#include <limits>

namespace orch::llorch {
namespace {

constexpr const char* kStageFooter = R"(Examples:
  llorch model stage /models/qwen3-8b.gguf --nodes gpu-1 --digest $(cat qwen3-8b.sha256)
  llorch model stage qwen3-8b --replicas 2       copied from a node that has it
  llorch model stage https://models.example/qwen3-8b.gguf --nodes gpu-1,gpu-2

A path is one on the nodes, not on this machine. Ctrl-C ends the watching, not the work.
)";

CLI::App& add(
    CLI::App& parent, CommandLine& line, ModelAction action, const char* name, const char* summary
) {
    CLI::App& added = *parent.add_subcommand(name, summary);
    added.footer("");
    added.parse_complete_callback([&line, action] {
        line.command = Command::model;
        line.model.action = action;
    });
    added.add_flag("--json", line.json, "Print the server's body as it came");
    return added;
}

void add_name(CLI::App& command, CommandLine& line, const char* what) {
    command.add_option("MODEL", line.model.model, what)->type_name("")->required();
}

void add_no_wait(CLI::App& command, CommandLine& line) {
    command.add_flag("--no-wait", line.model.no_wait, "Print the operation and do not follow it");
}

void add_stage(CLI::App& model, CommandLine& line) {
    CLI::App& stage =
        add(model, line, ModelAction::stage, "stage", "Bring a model to nodes and follow it");
    stage.footer(kStageFooter);
    add_name(stage, line, "An id that nodes have, a path on the nodes, or a URL");
    stage.add_option("--id", line.model.id, "The id it gets; else from the file's name")
        ->type_name("ID");
    stage.add_option("--digest", line.model.digest, "The SHA-256 that it must have")
        ->type_name("SHA256");
    CLI::Option* const nodes =
        stage.add_option("--nodes", line.model.nodes, "The nodes that shall have it")
            ->type_name("NODE,...")
            ->delimiter(',');
    stage.add_option("--replicas", line.model.replicas, "On how many online nodes in all")
        ->type_name("N")
        ->check(CLI::Range(1, std::numeric_limits<int>::max()).description(""))
        ->excludes(nodes);
    add_no_wait(stage, line);
}

}  // namespace

void add_model_commands(CLI::App& app, CommandLine& line) {
    CLI::App& model = *app.add_subcommand("model", std::string(summary_of(Command::model)));
    model.footer("");
    model.require_subcommand(1);
    model.fallthrough();
    add(model, line, ModelAction::list, "list", "List the models of the catalog and of the nodes");
    add_name(
        add(model, line, ModelAction::show, "show", "Show one model and its copies"), line, "Its id"
    );
    add_stage(model, line);
    CLI::App& verify =
        add(model, line, ModelAction::verify, "verify", "Have every copy read for its digest");
    add_name(verify, line, "Its id");
    add_no_wait(verify, line);
    CLI::App& remove =
        add(model, line, ModelAction::remove, "rm", "Remove a model from the catalog or from nodes"
        );
    add_name(remove, line, "Its id");
    remove.add_option("--nodes", line.model.nodes, "Whose copies go, or `all`")
        ->type_name("NODE,...")
        ->delimiter(',');
    add(model,
        line,
        ModelAction::availability,
        "availability",
        "List which models are on one node and which on more");
}

}  // namespace orch::llorch
