#include "control/gateway/answer_record.hpp"

#include "base/json.hpp"
#include "engine/json_scan.hpp"

#include <algorithm>
#include <array>

namespace orch::control::gateway {
namespace {

using engine::value_of;

// What stands between the quotes of a JSON string; empty when `value` is none.
std::string_view inside_quotes(std::string_view value) {
    if (!value.starts_with('"')) {
        return {};
    }
    for (std::size_t end = 1; end < value.size(); ++end) {
        if (value[end] == '\\') {
            ++end;
        } else if (value[end] == '"') {
            return value.substr(1, end - 1);
        }
    }
    return {};
}

bool holds_something(std::string_view data, std::string_view quoted_key) {
    const std::string_view value = value_of(data, quoted_key);
    return !value.empty() && !value.starts_with("null") && !value.starts_with("\"\"") &&
           !value.starts_with("[]");
}

// Beside the text: it would be lost, or the text is not all that the model wrote.
bool holds_more(std::string_view data) {
    constexpr std::array<std::string_view, 6> kMore{
        "\"reasoning_content\"",
        "\"reasoning\"",
        "\"tool_calls\"",
        "\"function_call\"",
        "\"refusal\"",
        "\"logprobs\"",
    };
    return std::ranges::any_of(kMore, [data](std::string_view key) {
        return holds_something(data, key);
    });
}

bool is_of_another_answer(std::string_view data) {
    const std::string_view index = value_of(data, "\"index\"");
    return !index.empty() && !index.starts_with('0');
}

}  // namespace

bool AnswerRecord::is_news(const engine::Event& event) {
    return engine::is_token(event) || holds_something(event.data, "\"prompt_progress\"");
}

bool AnswerRecord::is_finish(const engine::Event& event) {
    return value_of(event.data, "\"finish_reason\"").starts_with('"');
}

void AnswerRecord::spoil() {
    spoiled_ = true;
    text_ = {};
}

void AnswerRecord::sent(const engine::Event& event) {
    if (spoiled_ || engine::is_done(event.data)) {
        return;
    }
    if (!event.name.empty() || engine::is_error(event.data) || is_finish(event) ||
        holds_more(event.data) || is_of_another_answer(event.data)) {
        spoil();
        return;
    }
    if (first_.empty()) {
        first_ = event.data;
    }
    const bool chat = shape_ == engine::StreamShape::chat;
    text_ += inside_quotes(value_of(event.data, chat ? "\"content\"" : "\"text\""));
    if (text_.size() > most_) {
        spoil();
    }
}

std::optional<std::string> AnswerRecord::text() const {
    auto text = json::decode<std::string>("\"" + text_ + "\"");
    return text ? std::optional(std::move(*text)) : std::nullopt;
}

}  // namespace orch::control::gateway
