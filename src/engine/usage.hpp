#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace orch::engine {

// Tokens of one answer, as its engine counts them.
struct Usage {
    std::optional<std::uint64_t> tokens_in;   // of the prompt, those out of the cache included
    std::optional<std::uint64_t> tokens_out;  // generated

    // What `later` knows counts: a stream tells its totals at the end, some also what they are
    // so far.
    void update(const Usage& later);

    friend bool operator==(const Usage&, const Usage&) = default;
};

// What a whole JSON answer, or the data of one event, says: OpenAI's and Anthropic's `usage`, else
// llama-server's `timings`. Looks for keys and builds no tree. Pure.
Usage read_usage(std::string_view json);

}  // namespace orch::engine
