#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What one event of a streamed answer adds. Knows the events of /v1/chat/completions and
// /v1/completions as llama-server, vLLM and OpenAI write them. Pure; any thread.
namespace orch::engine {

enum class PieceKind { text, reasoning, tool };

std::string_view to_string(PieceKind kind);

struct Piece {
    PieceKind kind = PieceKind::text;
    std::string text;  // of a tool call: the element of `tool_calls` as JSON
};

// The engine's own figures, in the last events of an answer that was asked for them.
struct Figures {
    std::optional<std::uint64_t> tokens_in;
    std::optional<std::uint64_t> tokens_out;
    std::optional<double> prompt_ms;  // reading the prompt
    std::optional<double> decode_ms;  // generating
};

struct Delta {
    std::vector<Piece> pieces;  // in the order of the choices
    Figures figures;
};

// Reads the data of an event. What it does not know is left out; data that is no JSON object, such
// as [DONE], is an empty delta.
Delta parse_delta(std::string_view data);

// The figures of a whole answer: of embeddings and rerank too.
Figures parse_figures(std::string_view answer);

}  // namespace orch::engine
