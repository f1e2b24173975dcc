#pragma once

#include "base/bytes.hpp"
#include "engine/resume_request.hpp"
#include "engine/sse.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace orch::control::gateway {

// What a client has of a streamed answer, for the case that the rest must be made elsewhere: the
// text, and what else its events hold. Sees whole events that went to the client, and those only.
// Looks for keys and builds no tree; holds the text at most. Pure; one per request.
class AnswerRecord {
public:
    // `most`: bytes of text, as JSON writes it, that are kept; a longer answer is not continued.
    AnswerRecord(engine::StreamShape shape, Bytes most) : shape_(shape), most_(most) {}

    // An event that the client has.
    void sent(const engine::Event& event);

    engine::StreamShape shape() const { return shape_; }

    // No event went to the client yet, comments aside.
    bool untouched() const { return !spoiled_ && first_.empty(); }

    // Its text has begun and is known, and text is all that it holds: no reasoning, no tool calls,
    // no second answer beside it, no finish.
    bool can_go_on() const { return !spoiled_ && !text_.empty(); }

    // The text so far. Nothing when the engine's JSON was none.
    std::optional<std::string> text() const;

    // The data of the stream's first event.
    const std::string& first_event() const { return first_; }

    // The event holds what a client waits for: text of any kind, or progress. One that only names
    // the role does not.
    static bool is_news(const engine::Event& event);

    // The event says how the answer ends: what follows are figures and the stream's own end.
    static bool is_finish(const engine::Event& event);

private:
    void spoil();

    engine::StreamShape shape_;
    Bytes most_;
    std::string first_;
    std::string text_;  // as JSON writes it, without quotes
    bool spoiled_ = false;
};

}  // namespace orch::control::gateway
