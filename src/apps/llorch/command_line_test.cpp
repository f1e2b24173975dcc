#include "apps/llorch/command_line.hpp"

#include <gtest/gtest.h>

#include <utility>

namespace orch::llorch {
namespace {

using Words = std::vector<std::string>;

CommandLine parsed(Words words) {
    const auto line = parse_command_line(std::move(words));
    EXPECT_TRUE(line) << (line ? "" : line.error().text);
    return line.value_or(CommandLine{});
}

ParsedToText text(Words words) {
    const auto line = parse_command_line(std::move(words));
    EXPECT_FALSE(line);
    return line ? ParsedToText{} : line.error();
}

TEST(CommandLine, KnowsEveryCommand) {
    EXPECT_EQ(parsed({"nodes"}).command, Command::nodes);
    EXPECT_EQ(parsed({"pools"}).command, Command::pools);
    EXPECT_EQ(parsed({"models"}).command, Command::models);
    EXPECT_EQ(parsed({"health"}).command, Command::health);
    EXPECT_EQ(parsed({"run", "m", "p"}).command, Command::run);
    EXPECT_EQ(parsed({"token", "new"}).command, Command::token_new);
    EXPECT_EQ(parsed({"version"}).command, Command::version);
}

TEST(CommandLine, ExplainsARequestOfAnyKind) {
    const CommandLine line = parsed(
        {"explain",
         "m",
         "--node",
         "a",
         "--avoid",
         "p",
         "--avoid",
         "q",
         "--ctx",
         "4096",
         "--label",
         "zone=a",
         "--fallback"}
    );
    EXPECT_EQ(line.command, Command::explain);
    EXPECT_EQ(line.explain.model, "m");
    EXPECT_EQ(line.explain.node, "a");
    EXPECT_EQ(line.explain.avoid, (Words{"p", "q"}));
    EXPECT_EQ(line.explain.labels, (Words{"zone=a"}));
    EXPECT_EQ(line.explain.ctx, 4096U);
    EXPECT_TRUE(line.explain.fallback);
    EXPECT_FALSE(parsed({"explain", "m"}).explain.fallback);
    EXPECT_EQ(text({"explain"}).code, ExitCode::usage);
}

TEST(CommandLine, ListsNodesOrChangesOne) {
    EXPECT_EQ(parsed({"nodes", "add", "http://h:9200"}).command, Command::nodes_add);
    EXPECT_EQ(parsed({"nodes", "add", "http://h:9200"}).node.url, "http://h:9200");
    for (const auto& [word, command] :
         {std::pair("remove", Command::nodes_remove),
          std::pair("cordon", Command::nodes_cordon),
          std::pair("uncordon", Command::nodes_uncordon),
          std::pair("approve", Command::nodes_approve),
          std::pair("drain", Command::nodes_drain)}) {
        const CommandLine line = parsed({"nodes", word, "gpu-1", "--json"});
        EXPECT_EQ(line.command, command) << word;
        EXPECT_EQ(line.node.id, "gpu-1") << word;
        EXPECT_TRUE(line.json) << word;
        EXPECT_EQ(text({"nodes", word}).code, ExitCode::usage) << word;
    }
    EXPECT_EQ(parsed({"nodes", "drain", "g"}).node.wait_secs, 600U);
    EXPECT_EQ(parsed({"nodes", "drain", "g", "--wait-secs", "5"}).node.wait_secs, 5U);
    EXPECT_EQ(text({"nodes", "drain", "g", "--wait-secs", "4000"}).code, ExitCode::usage);
    EXPECT_EQ(parsed({"nodes", "--url", "http://h:1", "cordon", "g"}).endpoint.url, "http://h:1");
}

TEST(CommandLine, ListsPoolsOrChangesOne) {
    EXPECT_EQ(parsed({"pools"}).command, Command::pools);
    const CommandLine preload = parsed({"pools", "preload", "gpu-1/chat", "--json"});
    EXPECT_EQ(preload.command, Command::pools_preload);
    EXPECT_EQ(preload.pool.id, "gpu-1/chat");
    EXPECT_TRUE(preload.json);
    EXPECT_EQ(parsed({"pools", "drain", "chat"}).pool.wait_secs, 60U);
    const CommandLine drain = parsed({"pools", "drain", "chat", "--wait-secs", "5"});
    EXPECT_EQ(drain.command, Command::pools_drain);
    EXPECT_EQ(drain.pool.wait_secs, 5U);
    const CommandLine reload = parsed({"pools", "reload", "chat", "/m/b.gguf"});
    EXPECT_EQ(reload.command, Command::pools_reload);
    EXPECT_EQ(reload.pool.model, "/m/b.gguf");
    EXPECT_EQ(text({"pools", "reload", "chat"}).code, ExitCode::usage);
    EXPECT_EQ(text({"pools", "drain"}).code, ExitCode::usage);
    EXPECT_EQ(text({"pools", "preload", "chat", "--wait-secs", "5"}).code, ExitCode::usage);
}

TEST(CommandLine, TakesGlobalFlagsBeforeAndAfterTheCommand) {
    for (const Words& words :
         {Words{"--url", "http://h:1", "nodes", "--json"},
          Words{"nodes", "--json", "--url=http://h:1"}}) {
        const CommandLine line = parsed(words);
        EXPECT_EQ(line.endpoint.url, "http://h:1");
        EXPECT_TRUE(line.json);
    }
    EXPECT_EQ(parsed({"nodes", "--api-token-file", "f"}).endpoint.api_token_file, "f");
    EXPECT_EQ(parsed({"nodes", "--api-token", "t"}).endpoint.api_token, "t");
}

TEST(CommandLine, ReadsWhatToRun) {
    const RunOptions run = parsed({"run",
                                   "tiny",
                                   "say it",
                                   "--system",
                                   "s",
                                   "--max-tokens",
                                   "5",
                                   "--temperature",
                                   "0.5",
                                   "--no-stream"})
                               .run;
    EXPECT_EQ(run.model, "tiny");
    EXPECT_EQ(run.prompt, "say it");
    EXPECT_EQ(run.system, "s");
    EXPECT_EQ(run.max_tokens, 5U);
    EXPECT_EQ(run.temperature, 0.5);
    EXPECT_TRUE(run.no_stream);
}

TEST(CommandLine, TakesAnyTextForAPrompt) {
    EXPECT_EQ(parsed({"run", "tiny", "-"}).run.prompt, "-");
    EXPECT_EQ(parsed({"run", "tiny", "nodes"}).run.prompt, "nodes");
    EXPECT_EQ(parsed({"run", "tiny", "[1, 2]"}).run.prompt, "[1, 2]");
    EXPECT_EQ(parsed({"run", "tiny", "--", "--help"}).run.prompt, "--help");
    EXPECT_EQ(parsed({"run", "tiny", "two\nlines"}).run.prompt, "two\nlines");
    EXPECT_EQ(parsed({"run", "tiny", "\"quoted\""}).run.prompt, "\"quoted\"");
}

TEST(CommandLine, ReadsWhatToDoWithTasks) {
    const CommandLine list = parsed({"tasks", "list", "--state", "running", "--limit", "7"});
    EXPECT_EQ(list.command, Command::tasks_list);
    EXPECT_EQ(list.task.state, "running");
    EXPECT_EQ(list.task.limit, 7U);
    EXPECT_EQ(parsed({"tasks", "show", "t1", "--json"}).task.id, "t1");
    EXPECT_EQ(parsed({"tasks", "watch", "t1"}).command, Command::tasks_watch);
    EXPECT_EQ(parsed({"tasks", "cancel", "t1"}).command, Command::tasks_cancel);
    const CommandLine submit =
        parsed({"tasks", "submit", "m", "p", "--batch", "--deadline-ms", "5", "--task-id", "x"});
    EXPECT_EQ(submit.command, Command::tasks_submit);
    EXPECT_TRUE(submit.task.batch);
    EXPECT_EQ(submit.task.deadline_ms, 5U);
    EXPECT_EQ(submit.task.task_id, "x");
    EXPECT_EQ(text({"tasks"}).code, ExitCode::usage);
    EXPECT_EQ(text({"tasks", "show"}).code, ExitCode::usage);
    EXPECT_EQ(text({"tasks", "show", "a/../b"}).code, ExitCode::usage);
    EXPECT_EQ(text({"tasks", "list", "--state", "lost"}).code, ExitCode::usage);
    EXPECT_EQ(text({"tasks", "list", "--limit", "0"}).code, ExitCode::usage);
}

TEST(CommandLine, ReadsWhereTheTokenGoes) {
    EXPECT_EQ(parsed({"token", "new"}).token.out, "llorch.token");
    EXPECT_EQ(parsed({"token", "new"}).token.url, std::nullopt);
    EXPECT_EQ(parsed({"token", "new", "--out", "f"}).token.out, "f");
    EXPECT_EQ(parsed({"token", "new", "--url", "http://h"}).token.url, "http://h");
    EXPECT_EQ(parsed({"--url", "http://h", "token", "new"}).token.url, "http://h");
}

TEST(CommandLine, EndsInUsageForWhatItDoesNotKnow) {
    for (const Words& words : {
             Words{},
             Words{"no-such-command"},
             Words{"nodes", "--nope"},
             Words{"nodes", "extra"},
             Words{"run", "tiny"},
             Words{"run", "tiny", "a", "b"},
             Words{"run", "tiny", "a", "--max-tokens", "0"},
             Words{"run", "tiny", "a", "--max-tokens", "many"},
             Words{"run", "tiny", "a", "--temperature", "-1"},
             Words{"token"},
             Words{"nodes", "--url"},
             Words{"nodes", "--api-token", "t", "--api-token-file", "f"},
         }) {
        const ParsedToText stop = text(words);
        EXPECT_EQ(stop.code, ExitCode::usage) << testing::PrintToString(words);
        EXPECT_TRUE(stop.text.starts_with("llorch: ")) << stop.text;
    }
}

TEST(CommandLine, NamesTheWordItDoesNotKnow) {
    EXPECT_EQ(text({"nodez"}).text, "llorch: not known: nodez\n  see llorch --help\n");
    EXPECT_NE(text({"token", "old"}).text.find("old"), std::string::npos);
    EXPECT_NE(text({"nodes", "--nope"}).text.find("--nope"), std::string::npos);
    EXPECT_NE(text({"run", "tiny"}).text.find("PROMPT"), std::string::npos);
}

TEST(CommandLine, HelpsWithPurposeExamplesEnvironmentAndExitCodes) {
    const ParsedToText help = text({"--help"});
    EXPECT_EQ(help.code, ExitCode::ok);
    for (const char* part :
         {"Operate and use",
          "llorch run",
          "nodes",
          "LLORCH_URL",
          "--api-token-file",
          "Exit codes:",
          "130"}) {
        EXPECT_NE(help.text.find(part), std::string::npos) << part;
    }
    const ParsedToText run = text({"run", "--help"});
    EXPECT_EQ(run.code, ExitCode::ok);
    EXPECT_NE(run.text.find("--max-tokens"), std::string::npos);
    EXPECT_NE(text({"token", "new", "--help"}).text.find("--out"), std::string::npos);
}

TEST(CommandLine, TellsItsVersion) {
    const ParsedToText version = text({"--version"});
    EXPECT_EQ(version.code, ExitCode::ok);
    EXPECT_TRUE(version.text.starts_with("llorch ")) << version.text;
}

}  // namespace
}  // namespace orch::llorch
