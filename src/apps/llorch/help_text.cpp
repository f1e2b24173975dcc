#include "apps/llorch/help_text.hpp"

namespace orch::llorch {

std::string_view program_summary() {
    return "Operate and use a llama-orch cluster from the command line: everything here is a call "
           "to\n"
           "the HTTP API of orchestratord.";
}

std::string_view main_footer() {
    return R"(Examples:
  llorch token new --url http://10.0.0.5:8080    a token, and how to start a cluster with it
  llorch nodes                                   who has joined, and who can be reached
  llorch nodes drain gpu-1                       no new work for gpu-1; wait for the rest
  llorch pools                                   what each engine does, and why one does not
  llorch pools preload qwen3-8b                  start an engine before it is asked
  llorch run qwen3-8b "Why is the sky blue?"     an answer, token by token
  llorch explain qwen3-8b                        where a request would go now, and why
  llorch tasks submit qwen3-8b "Once upon a time"   work that goes on without you
  llorch models --json | jq -r '.data[].id'      for scripts

Environment (a flag outweighs it):
  LLORCH_URL               where orchestratord answers, http://127.0.0.1:8080 by default
  LLORCH_API_TOKEN         the token to send
  LLORCH_API_TOKEN_FILE    the file that holds it; LLORCH_API_TOKEN outweighs it
  LLORCH_TLS_CA            CAs to trust for an https URL; the system's by default
  LLORCH_TLS_CERT, _KEY    what to show to a server that wants a certificate
  NO_COLOR                 no colours when it is set

Exit codes:
  0  done                         3  nobody answers at that address
  1  the server said no           4  not authorised
  2  the command line, a setting  5  not found
     or a local file is wrong   130  interrupted
)";
}

std::string_view summary_of(Command command) {
    switch (command) {
        case Command::nodes:
            return "List the machines of the cluster, or change one";
        case Command::nodes_add:
            return "Add a machine that does not register: it is polled at its URL";
        case Command::nodes_remove:
            return "Take a machine off the list";
        case Command::nodes_cordon:
            return "Give a machine no new work";
        case Command::nodes_uncordon:
            return "Give it work again";
        case Command::nodes_drain:
            return "Give a machine no new work and wait until it has none";
        case Command::nodes_approve:
            return "Let a pending machine take work";
        case Command::pools:
            return "List the engines, and why one is not ready, or change one";
        case Command::pools_preload:
            return "Start a pool that does not run";
        case Command::pools_drain:
            return "Give a pool no new work and end its engines when they have none";
        case Command::pools_reload:
            return "Let a pool go over to another model under the same name";
        case Command::models:
            return "List the models that can be asked";
        case Command::model:
            return "The model files of the cluster: stage, verify, remove";
        case Command::run:
            return "Ask a model and print its answer as it comes";
        case Command::explain:
            return "Tell where a request would go now, and what speaks against the other pools";
        case Command::tasks_list:
            return "List the tasks, newest first";
        case Command::tasks_show:
            return "Print what is known of a task, and its output so far";
        case Command::tasks_watch:
            return "Print a task's answer as it comes";
        case Command::tasks_cancel:
            return "End a task, whatever it does";
        case Command::tasks_submit:
            return "Hand in a prompt and print the task's id";
        case Command::health:
            return "Ask the control plane how it is";
        case Command::token_new:
            return "Make a cluster token and print how to start a cluster with it";
        case Command::token_rotate:
            return "Replace the token of a running cluster, in three steps";
        case Command::audit_verify:
            return "Check that no line of an audit log was changed or removed";
        case Command::version:
            break;
    }
    return "Print the version of this program";
}

std::string_view footer_of(Command command) {
    switch (command) {
        case Command::run:
            return R"(Examples:
  llorch run qwen3-8b "Three names for a cat"
  llorch run qwen3-8b - --system "Summarise." < report.txt
  llorch run qwen3-8b --temperature 0 --max-tokens 64 -- "- why a dash?"

What is not given here is left to the engine. Ctrl-C ends the request on the server too.
With --json a stream is printed as the events that the server sends.
)";
        case Command::explain:
            return R"(Nothing is sent to an engine and no slot is taken. Pools are listed in the order in which they
would be tried; ORDER is - for those that cannot serve. At most 100 are listed.
)";
        case Command::token_new:
            return R"(Works without a server. The token is shown on a terminal only, once; the file has mode 0600.
Without --url the commands name this machine by its own address.
)";
        case Command::nodes_remove:
            return "A machine that runs and registers by itself comes back: stop its "
                   "pool-managerd.\n";
        case Command::nodes_drain:
            return "Ends with 1 when the machine still has work after that time; it stays "
                   "cordoned.\n";
        case Command::pools_preload:
            return "It is told to start and not waited for: `llorch pools` shows how far it is.\n";
        case Command::pools_drain:
            return "It is told so and not waited for. It stays drained until it is preloaded.\n";
        case Command::pools_reload:
            return R"(It is told so and not waited for: `llorch pools` shows how far it is. If the new model
fails, the old one serves again. The next start of its pool-managerd takes what its settings say.
)";
        case Command::token_rotate:
            return R"(Without a flag it adds a new token behind the old one: accepted, sent by nobody. After each
step copy the file to every machine; a daemon takes it in within two seconds. In this order no
request fails, however long the copying takes.
)";
        case Command::audit_verify:
            return R"(Works without a server. Prints the last hash: a later check that has it in the chain proves that
nothing before it was cut off.
)";
        default:
            break;
    }
    return "";
}

}  // namespace orch::llorch
