#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// What llama-server answers about itself, and its errors. Formats of llama.cpp's server, build
// b1-de3ff81. Pure; any thread.
namespace orch::engine {

enum class LlamaHealth {
    ok,       // the listener answers and the model is loaded; says nothing about the decode loop
    loading,  // 503 "Loading model": every endpoint answers so until the model is there
    failing,  // anything else
};

LlamaHealth judge_llama_health(int status, std::string_view body);

// GET /props.
struct LlamaProps {
    std::uint32_t total_slots = 0;
    std::uint32_t n_ctx = 0;  // tokens per slot
    std::string model_alias;  // the path when no alias was given
    std::string model_path;
    std::string build_info;
    bool is_sleeping = false;  // unloaded until the next request
};

// Errors: invalid_params naming the field. A router (no slots of its own) is refused.
Result<LlamaProps> parse_llama_props(std::string_view body);

// GET /slots.
struct LlamaSlots {
    std::uint32_t total = 0;
    std::uint32_t busy = 0;
    // Tokens that all slots hold (prompt and answer, an idle slot's prompt cache included) of
    // what fits into their contexts, 0 to 1. Nothing from an engine that does not tell.
    std::optional<double> cache_usage{};
};

// Errors: invalid_params naming the element.
Result<LlamaSlots> parse_llama_slots(std::string_view body);

// {"error":{"code","message","type"}}, as llama-server, OpenAI and vLLM write it.
struct EngineError {
    int code = 0;  // the HTTP status; 0 where `code` is no number
    std::string type;
    std::string message;
    std::optional<std::uint32_t> n_prompt_tokens;  // of exceed_context_size_error
    std::optional<std::uint32_t> n_ctx;
};

// Reads an error body or the data of an error event; nothing when it is neither.
std::optional<EngineError> parse_engine_error(std::string_view body);

enum class ErrorCause {
    request,      // the client's mistake; the same anywhere else
    context,      // prompt or answer do not fit the context
    unsupported,  // the engine was started without this feature
    loading,      // the model is not there yet
    engine,       // the engine's own trouble; another place may do better
};

// llama-server reports bad JSON, images without a projector and overlong embedding inputs as 500:
// those are the client's. No cause by itself says that the engine is unhealthy.
ErrorCause cause_of(int status, const EngineError& error);

}  // namespace orch::engine
