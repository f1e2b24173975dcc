#pragma once

#include "apps/llorch/exit_code.hpp"
#include "engine/sse.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// The chat that `llorch run` holds with POST /v1/chat/completions. Pure.
namespace orch::llorch {

struct ChatRequest {
    std::string model;
    std::string prompt;
    std::optional<std::string> system;
    std::optional<std::uint32_t> max_tokens;  // not sent when absent: the engine's default
    std::optional<double> temperature;        // likewise
    bool stream = true;
};

std::string to_json(const ChatRequest& request);

// The text of an answer that came in one piece. Failures: refused.
Outcome<std::string> answer_text(std::string_view body);

// Reads a streamed answer, in whatever pieces it arrives.
//
//   open -- "[DONE]" --> done
//   open -- error event, or data that is no JSON --> broken
//
// What follows either is ignored.
class ChatStream {
public:
    // The text that these bytes complete.
    std::string feed(std::string_view bytes);

    // The body has ended: nothing when the answer was complete. Failures: refused.
    std::optional<Failure> end() const;

private:
    void take_event(std::string_view data, std::string& text);

    engine::EventBuffer events_;
    bool done_ = false;
    std::optional<Failure> failure_;
};

}  // namespace orch::llorch
