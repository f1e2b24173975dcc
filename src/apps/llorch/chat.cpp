#include "apps/llorch/chat.hpp"

#include "apps/llorch/error_text.hpp"
#include "base/json.hpp"

#include <boost/describe/class.hpp>

#include <utility>
#include <vector>

namespace orch::llorch {
namespace {

// The few fields of OpenAI's format that are of interest here.
struct SentMessage {
    std::string role;
    std::string content;
};

struct SentChat {
    std::string model;
    std::vector<SentMessage> messages;
    bool stream = true;
    std::optional<std::uint32_t> max_tokens;
    std::optional<double> temperature;
};

struct Content {
    std::string content;
};

struct Choice {
    Content delta;    // of a chunk
    Content message;  // of a whole answer
};

struct Answer {
    std::vector<Choice> choices;
};

BOOST_DESCRIBE_STRUCT(SentMessage, (), (role, content))
BOOST_DESCRIBE_STRUCT(SentChat, (), (model, messages, stream, max_tokens, temperature))
BOOST_DESCRIBE_STRUCT(Content, (), (content))
BOOST_DESCRIBE_STRUCT(Choice, (), (delta, message))
BOOST_DESCRIBE_STRUCT(Answer, (), (choices))

constexpr std::string_view kRequest = "POST /v1/chat/completions";

}  // namespace

std::string to_json(const ChatRequest& request) {
    SentChat chat{request.model, {}, request.stream, request.max_tokens, request.temperature};
    if (request.system) {
        chat.messages.push_back({"system", *request.system});
    }
    chat.messages.push_back({"user", request.prompt});
    return json::encode(chat);
}

Outcome<std::string> answer_text(std::string_view body) {
    auto answer = json::decode<Answer>(body);
    if (answer && answer->choices.empty()) {
        answer = fail(Errc::invalid_params, "choices: is missing or empty");
    }
    if (!answer) {
        return std::unexpected(failure_of_body(kRequest, answer.error()));
    }
    return std::move(answer->choices.front().message.content);
}

std::string ChatStream::feed(std::string_view bytes) {
    std::string text;
    engine::EventReader reader(events_.feed(bytes));
    while (const auto event = reader.next()) {
        if (!done_ && !failure_) {
            take_event(event->data, text);
        }
    }
    return text;
}

void ChatStream::take_event(std::string_view data, std::string& text) {
    if (engine::is_done(data)) {
        done_ = true;
        return;
    }
    if (engine::is_error(data)) {
        failure_ = failure_of_stream(data);
        return;
    }
    const auto chunk = json::decode<Answer>(data);
    if (!chunk) {
        failure_ = failure_of_body(kRequest, chunk.error());
    } else if (!chunk->choices.empty()) {
        text += chunk->choices.front().delta.content;
    }
}

std::optional<Failure> ChatStream::end() const {
    if (done_) {
        return std::nullopt;
    }
    return failure_ ? failure_ : failure_of_stream("");
}

}  // namespace orch::llorch
