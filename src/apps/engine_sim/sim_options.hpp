#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

namespace orch::engine_sim {

// What the simulated engine was asked to be. The first group are llama-server's flags, the second
// its behaviour, which may also be set in the environment, where a pool's `env` reaches it.
struct SimOptions {
    std::string model;  // shown, never opened
    std::string alias;  // the model's path unless given
    std::string host = "127.0.0.1";
    std::uint16_t port = 8080;  // 0: any free one
    std::uint32_t slots = 1;
    std::uint32_t ctx = 8192;  // tokens of all slots together
    bool slots_endpoint = true;
    bool props_writable = false;
    std::uint32_t ping_secs = 30;  // of silence in a stream before a comment fills it

    std::uint32_t ttft_ms = 0;         // from a request's slot to its first token
    std::uint32_t compute_ms = 0;      // at its beginning, answering nothing at all meanwhile
    double tokens_per_second = 0;      // of each slot; 0 = as fast as it goes
    std::uint32_t answer_tokens = 64;  // words of a whole answer
    std::uint32_t load_ms = 0;         // 503 "Loading model" until then
    std::optional<std::uint32_t> hang_after_tokens;   // of one request: the process stops answering
    std::optional<std::uint32_t> crash_after_tokens;  // of one request: killed inside that token
    bool exit_at_start = false;                       // one line on stderr, exit code 1
    std::optional<int> refuse;                        // the status of every generation request

    std::uint32_t ctx_per_slot() const { return ctx / slots; }
};

// How a command line ended that asks for no server.
struct EarlyExit {
    int code = 0;
    std::string text;  // for stderr
};

// Reads flags (without the program's name) and the environment of the process; a flag wins.
// Unknown flags and bad values exit with 1, as llama-server does.
std::expected<SimOptions, EarlyExit> read_options(std::vector<std::string> arguments);

}  // namespace orch::engine_sim
