#pragma once

#include "base/result.hpp"
#include "engine/resume_request.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// llama-server's own endpoints behind /v1: templates, tokens and the raw completion. Formats of
// llama.cpp's server, build b1-de3ff81. Pure; any thread.
namespace orch::engine {

// The answer of POST /apply-template: the prompt as the model gets it.
// Errors: invalid_params naming the field, here and below.
Result<std::string> parse_template_prompt(std::string_view body);

// As a prompt: with the model's marks around it, and special tokens recognised in it.
// As a part: the text and nothing else, for what a model wrote.
enum class TokenizeAs { prompt, part };

// The body for POST /tokenize.
std::string tokenize_body(std::string_view text, TokenizeAs as);

struct Tokens {
    TokenIds ids;
    std::string text;  // of all of them, one after the other
};

// The answer of POST /tokenize to that.
Result<Tokens> parse_tokens(std::string_view body);

// One event of a streamed POST /completion.
struct CompletionEvent {
    std::string text;
    bool last = false;
    bool cut = false;             // of the last: the limit ended it, not the model or a stop word
    std::uint64_t generated = 0;  // tokens so far
};

Result<CompletionEvent> parse_completion_event(std::string_view data);

}  // namespace orch::engine
