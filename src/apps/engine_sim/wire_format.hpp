#pragma once

#include "apps/engine_sim/sim_options.hpp"
#include "apps/engine_sim/sim_request.hpp"
#include "apps/engine_sim/slot_queue.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// llama-server's answers byte for byte in order of headers and keys (build b1-de3ff81). Pure.
namespace orch::engine_sim {

// --- heads

// What of a request decides about the head of its answer.
struct HeadTraits {
    std::string origin;  // echoed, empty without one
    bool close = false;  // the client asked for it, or this is a connection's last answer
    bool head = false;   // a HEAD request
};

// Errors say "Connection: close", whether or not the connection closes.
std::string json_head(int status, std::size_t length, const HeadTraits& traits);
std::string stream_head(const HeadTraits& traits);
std::string preflight_answer(const HeadTraits& traits);
std::string as_chunk(std::string_view bytes);
std::string as_event(std::string_view json);  // "data: ...\n\n"

// --- bodies without generation

std::string error_json(const Refusal& refusal);
std::string routing_error_json(const Refusal& refusal);  // "code" is its last key
std::string props_json(const SimOptions& options);
std::string slots_json(const SimOptions& options, const SlotQueue& queue);
std::string models_json(const SimOptions& options, std::int64_t created);
std::string template_json(const SimRequest& request);
std::string input_tokens_json(const SimRequest& request);
std::string tokens_json(const std::vector<Vocabulary::Token>& tokens);

// --- answers

struct Timings {
    std::uint32_t prompt_n = 0;
    double prompt_ms = 0;
    std::uint32_t predicted_n = 0;
    double predicted_ms = 0;
};

// What is the same in every event of an answer.
struct AnswerFrame {
    AnswerShape shape = AnswerShape::chat;
    std::string id;  // "chatcmpl-..." in either shape
    std::string model;
    std::int64_t created = 0;  // Unix seconds
};

// The event with which a chat answer begins; it shares a chunk with the first text.
std::string role_event(const AnswerFrame& frame);
std::string text_event(const AnswerFrame& frame, std::string_view text);

// The last events before [DONE]; they share a chunk.
std::string finish_events(
    const AnswerFrame& frame, std::string_view reason, bool include_usage, const Timings& timings
);

// /completion's own events; the last one ends the stream, and is the answer without one.
std::string raw_event(std::string_view text, std::uint32_t token, const Timings& so_far);
std::string raw_json(
    const AnswerFrame& frame, std::string_view text, std::string_view reason, const Timings& timings
);

// The answer to a request that did not ask for a stream.
std::string whole_json(
    const AnswerFrame& frame, std::string_view text, std::string_view reason, const Timings& timings
);

}  // namespace orch::engine_sim
