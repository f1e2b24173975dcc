#pragma once

#include "apps/engine_sim/vocabulary.hpp"

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace orch::engine_sim {

// An error answer of the engine.
struct Refusal {
    int status = 400;
    std::string type;  // "invalid_request_error"
    std::string message;
    std::optional<std::uint32_t> n_prompt_tokens{};  // of exceed_context_size_error
    std::optional<std::uint32_t> n_ctx{};
};

enum class AnswerShape { chat, text, raw };

// What of a generation request matters here.
struct SimRequest {
    AnswerShape shape = AnswerShape::chat;
    std::string prompt{};  // all that the model sees
    std::string begun{};   // the end of it, which the answer continues
    bool stream = false;
    bool include_usage = false;
    std::optional<std::uint32_t> max_tokens{};  // at least 1
    std::optional<std::uint32_t> ping_secs{};   // of this stream
    std::uint32_t prompt_tokens = 0;
};

// Bodies of /v1/chat/completions, /apply-template and input_tokens, and of /v1/completions.
// Refused as llama-server does it: 500 for what is no JSON, 400 for a missing or ill-typed field.
std::expected<SimRequest, Refusal> read_chat_request(std::string_view body);
std::expected<SimRequest, Refusal> read_text_request(std::string_view body);

// The body of /completion, whose prompt is a text or tokens of the vocabulary.
std::expected<SimRequest, Refusal> read_raw_request(
    std::string_view body, const Vocabulary& vocabulary
);

// What /tokenize is asked for.
std::expected<std::string, Refusal> read_tokenize_request(std::string_view body);

}  // namespace orch::engine_sim
