#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

// Server-sent events as engines write them: lines end in LF or CRLF, an event ends with a blank
// line. Chunks and reads say nothing about events: the first chunk of a llama-server stream holds
// two, and a read may end in the middle of a line. Pure; one object per stream, one thread.
// https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
namespace orch::engine {

// Finds event borders in a stream that comes in pieces, without keeping any byte.
class EventSplitter {
public:
    // How many leading bytes of `bytes` belong to events that are complete now: a relay forwards
    // what it held back before and those, and holds back the rest. 0: nothing became complete.
    std::size_t feed(std::string_view bytes);

private:
    enum class At { line_start, cr_at_line_start, in_line };

    At at_ = At::line_start;
};

// Lets whole events pass and holds the beginning of the next one.
class EventBuffer {
public:
    // The events that `bytes` completed, byte for byte; a view of `bytes` where nothing was held.
    // Valid until the next call.
    std::string_view feed(std::string_view bytes);

    // What came of an event that is not complete; a stream that ends with such bytes was cut.
    std::string_view held() const { return held_; }

private:
    EventSplitter splitter_;
    std::string held_;
    std::string whole_;
};

struct Event {
    std::string_view name;  // of the `event:` line; empty = "message"
    std::string_view data;
};

// Reads the events of a block that ends at an event border. Events without data, such as the
// ":\n\n" that fills silence, are skipped. Fields other than event and data are ignored.
class EventReader {
public:
    // Requires: the block outlives the reader.
    explicit EventReader(std::string_view whole_events) : rest_(whole_events) {}

    // The next event, nothing at the end. Its views are valid until the next call.
    std::optional<Event> next();

private:
    std::string_view rest_;
    std::string joined_;  // data of several lines
};

// "[DONE]", the last event of OpenAI's chat and completion streams.
bool is_done(std::string_view data);

// {"error": ...}: the stream has failed and nothing follows.
bool is_error(std::string_view data);

// The event carries generated text (answer, reasoning or tool arguments): one token, as
// llama-server and vLLM stream. Knows /v1/chat/completions, /v1/completions, /completion,
// /v1/responses and /v1/messages. Looks for keys, builds no tree.
bool is_token(const Event& event);

// The answer is complete or has failed: [DONE], message_stop, response.completed|incomplete|failed,
// the last event of /completion, or an error. A stream that ends without one was cut.
bool is_terminal(const Event& event);

// Token events of a block of whole events.
std::size_t count_tokens(std::string_view whole_events);

}  // namespace orch::engine
