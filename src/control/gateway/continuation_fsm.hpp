#pragma once

#include "base/result.hpp"
#include "engine/llama_completion.hpp"
#include "engine/resume_request.hpp"
#include "engine/usage.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace orch::control::gateway {

// How an answer that broke off is taken up at another llama-server: which of its endpoints to ask
// in what order. Sans-I/O; one per place that is tried.
//
//   chat                      text                 tokens as prompt
//     | POST /apply-template    |                       |
//     +---------> prompt <------+                       |
//                   | POST /tokenize                    |
//                   +--------> its tokens <-------------+
//                                  | POST /tokenize of the text so far
//                                  +----> tokens of the text ----> POST /completion
//
// The engine gets the prompt as tokens, those of the original prompt and behind them those of the
// text, so that nothing grows together where they meet and nothing in the text counts as a special
// token. That the tokens spell the text and nothing else is checked; a vocabulary that puts a space
// before every text it reads is asked for both in one piece.
class ContinuationFsm {
public:
    enum class Step {
        ask,       // POST path() with body(), and accept() what it says
        generate,  // POST path() with body(), and stream what it says
        at_limit,  // nothing is left to generate
    };

    // `text`: what the client has.
    ContinuationFsm(const engine::ResumeRequest& request, std::string text);

    Step step() const;
    std::string_view path() const;

    const std::string& body() const { return body_; }

    // The answer to what was asked, status 200. Errors: worker_reset, it cannot be taken up.
    Result<void> accept(std::string_view answer);

    // Tokens of the original prompt, and of the text so far. Requires: step() is not ask.
    std::uint64_t prompt_tokens() const { return prompt_.size(); }

    std::uint64_t text_tokens() const { return text_tokens_.size(); }

private:
    enum class State { template_asked, prompt_asked, text_asked, whole_asked, known };

    void ask_tokens(State state, std::string_view text, engine::TokenizeAs as);
    void ask_text();
    Result<void> take_text(engine::Tokens tokens);
    Result<void> take_whole(engine::Tokens tokens);
    void know();

    const engine::ResumeRequest& request_;
    std::string text_;
    State state_ = State::known;
    std::string body_;
    std::string prompt_text_;
    engine::TokenIds prompt_;
    std::string prompt_spelt_;  // what those tokens spell
    engine::TokenIds text_tokens_;
    bool at_limit_ = false;
};

}  // namespace orch::control::gateway
