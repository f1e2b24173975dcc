#include "apps/engine_sim/sim_options.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace orch::engine_sim {
namespace {

constexpr std::uint32_t kTrainedCtx = 8192;

// llama-server's short flags of several letters, which CLI11 would take for a bundle.
std::string long_form(std::string argument) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kShort{{
        {"-np", "--parallel"},
        {"-ngl", "--n-gpu-layers"},
        {"-ts", "--tensor-split"},
        {"-ub", "--ubatch-size"},
        {"-fa", "--flash-attn"},
        {"-cram", "--cache-ram"},
    }};
    const auto found =
        std::ranges::find(kShort, argument, [](const auto& pair) { return pair.first; });
    return found == kShort.end() ? argument : std::string(found->second);
}

// Taken because a node may send them; a simulation has no use for their values.
struct Ignored {
    std::string text;
    bool flag = false;
};

void add_engine_flags(CLI::App& app, SimOptions& options, Ignored& ignored) {
    app.add_option("-m,--model", options.model)->required();
    app.add_option("-a,--alias", options.alias);
    app.add_option("--host", options.host);
    app.add_option("--port", options.port);
    app.add_option("--parallel", options.slots)->check(CLI::Range(1U, 4096U));
    app.add_option("-c,--ctx-size", options.ctx);
    app.add_flag("--slots,!--no-slots", options.slots_endpoint);
    app.add_flag("--props", options.props_writable);
    app.add_option("--sse-ping-interval", options.ping_secs)->check(CLI::Range(1U, 86400U));
    app.add_flag("--metrics,--embeddings,--embedding,--reranking", ignored.flag);
    for (const char* name :
         {"--gpu-layers,--n-gpu-layers",
          "--tensor-split",
          "-t,--threads",
          "-b,--batch-size",
          "--ubatch-size",
          "--cache-ram",
          "--pooling"}) {
        app.add_option(name, ignored.text);
    }
    app.add_option("--flash-attn", ignored.text)->expected(0, 1);
}

void add_knobs(CLI::App& app, SimOptions& options) {
    const auto knob = [&app](const char* name, auto& value, const char* help) {
        std::string variable = "ENGINE_SIM_" + std::string(name + 2);
        std::ranges::transform(variable, variable.begin(), [](char c) {
            return c == '-' ? '_' : static_cast<char>(std::toupper(c));
        });
        return app.add_option(name, value, help)->envname(variable);
    };
    knob("--ttft-ms", options.ttft_ms, "from a request's slot to its first token");
    knob("--compute-ms", options.compute_ms, "a request's first work: CPU time, and no answers");
    knob("--tokens-per-second", options.tokens_per_second, "of each slot; 0 = as fast as it goes")
        ->check(CLI::NonNegativeNumber);
    knob("--answer-tokens", options.answer_tokens, "words of a whole answer");
    knob("--load-ms", options.load_ms, "503 \"Loading model\" until then");
    knob("--hang-after-tokens", options.hang_after_tokens, "stop answering, in the same request");
    knob("--crash-after-tokens", options.crash_after_tokens, "die inside this token of a request")
        ->check(CLI::PositiveNumber);
    app.add_flag("--exit-at-start", options.exit_at_start, "fail to load the model")
        ->envname("ENGINE_SIM_EXIT_AT_START");
    knob("--refuse", options.refuse, "the status of every generation request")
        ->check(CLI::Range(400, 599));
}

}  // namespace

std::expected<SimOptions, EarlyExit> read_options(std::vector<std::string> arguments) {
    SimOptions options;
    Ignored ignored;
    CLI::App app{
        "A simulated llama-server: its wire format and its habits, words instead of a model"
    };
    app.name("engine-sim");
    app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    add_engine_flags(app, options, ignored);
    add_knobs(app, options);
    std::ranges::transform(arguments, arguments.begin(), long_form);
    std::ranges::reverse(arguments);
    try {
        app.parse(std::move(arguments));
    } catch (const CLI::CallForHelp&) {
        return std::unexpected(EarlyExit{0, app.help()});
    } catch (const CLI::ParseError& error) {
        return std::unexpected(EarlyExit{1, fmt::format("error: {}\n", error.what())});
    }
    options.alias = options.alias.empty() ? options.model : options.alias;
    options.ctx = options.ctx == 0 ? kTrainedCtx : options.ctx;
    if (options.exit_at_start) {
        return std::unexpected(
            EarlyExit{1, fmt::format("error: failed to load model '{}'\n", options.model)}
        );
    }
    return options;
}

}  // namespace orch::engine_sim
