#pragma once

#include "base/result.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// What it takes to go on with an answer of llama-server's that broke off: the client's request, and
// the same generation asked of POST /completion with a prompt that ends in the text so far.
// Pure; any thread.
namespace orch::engine {

using TokenIds = std::vector<std::int32_t>;

enum class StreamShape {
    chat,  // POST /v1/chat/completions
    text,  // POST /v1/completions
};

// The shape of the answer that a path gives; nothing for all others. With or without a query.
std::optional<StreamShape> stream_shape(std::string_view target);

// A request whose answer can be continued without losing or repeating text.
class ResumeRequest {
public:
    // Errors: invalid_params saying which field stands against it: several answers, tools, a
    // grammar, log probabilities, content that is no text, prompts that are several, a field that
    // the raw completion reads in another way. A field nobody knows passes on to the engine.
    static Result<ResumeRequest> read(StreamShape shape, std::string_view body);

    StreamShape shape() const { return shape_; }

    // The client asked for the event that holds the usage.
    bool include_usage() const { return include_usage_; }

    // Tokens that the whole answer may have.
    std::optional<std::uint64_t> limit() const { return limit_; }

    // The prompt of a text completion: text or tokens. Neither for a chat.
    const std::optional<std::string>& prompt_text() const { return prompt_text_; }

    const std::optional<TokenIds>& prompt_ids() const { return prompt_ids_; }

    // The body for POST /apply-template: the request as it came.
    const std::string& template_body() const { return body_; }

    // The body for POST /completion. `most`: tokens that may still come.
    std::string completion_body(
        std::span<const std::int32_t> prompt, std::optional<std::uint64_t> most
    ) const;

private:
    Result<void> read_prompt();
    Result<void> read_limit();
    void read_stop();

    StreamShape shape_ = StreamShape::chat;
    std::string body_;
    boost::json::object options_;  // sampling, as /completion wants it
    bool include_usage_ = false;
    std::optional<std::uint64_t> limit_;
    std::optional<std::string> prompt_text_;
    std::optional<TokenIds> prompt_ids_;
};

}  // namespace orch::engine
