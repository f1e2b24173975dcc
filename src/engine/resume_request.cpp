#include "engine/resume_request.hpp"

#include "base/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace orch::engine {
namespace {

namespace bj = json::bj;

// A value that asks for nothing, whatever the field.
bool asks_nothing(const bj::value& value) {
    switch (value.kind()) {
        case bj::kind::null:
            return true;
        case bj::kind::bool_:
            return !value.get_bool();
        case bj::kind::string:
            return value.get_string().empty();
        case bj::kind::array:
            return value.get_array().empty();
        case bj::kind::object:
            return value.get_object().empty();
        default:
            return json::detail::as_signed(value) == 0;
    }
}

// Fields that change what the events of an answer hold, or tie it to a state that is lost.
constexpr std::array<std::string_view, 11> kInTheWay{
    "tools",
    "functions",
    "grammar",
    "json_schema",
    "logprobs",
    "top_logprobs",
    "n_probs",
    "audio",
    "suffix",
    "echo",
    "return_progress",
};

// What /completion must not see: it would read it in another way, or not know it.
constexpr std::array<std::string_view, 19> kNotForCompletion{
    "messages",
    "prompt",
    "stream_options",
    "max_tokens",
    "max_completion_tokens",
    "n_predict",
    "n",
    "n_cmpl",
    "best_of",
    "id_slot",
    "return_tokens",
    "response_format",
    "chat_template_kwargs",
    "reasoning_format",
    "add_generation_prompt",
    "response_fields",
    "tool_choice",
    "function_call",
    "modalities",
};

std::unexpected<Error> against(std::string_view field) {
    return fail(
        Errc::invalid_params, fmt::format("{}: an answer with it cannot be continued", field)
    );
}

bool is_text_format(const bj::value& format) {
    if (!format.is_object()) {
        return asks_nothing(format);
    }
    const bj::value* const type = format.get_object().if_contains("type");
    return type != nullptr && type->is_string() && type->get_string() == "text";
}

bool at_most_one(const bj::value& count) {
    return count.is_null() || json::detail::as_signed(count) == 1;
}

Result<void> check_fields(const bj::object& body) {
    for (const std::string_view field : kInTheWay) {
        const bj::value* const value = body.if_contains(field);
        if (value != nullptr && !asks_nothing(*value)) {
            return against(field);
        }
    }
    for (const std::string_view field : {"n", "n_cmpl", "best_of"}) {
        const bj::value* const value = body.if_contains(field);
        if (value != nullptr && !at_most_one(*value)) {
            return against(field);
        }
    }
    const bj::value* const format = body.if_contains("response_format");
    if (format != nullptr && !is_text_format(*format)) {
        return against("response_format");
    }
    return {};
}

bool is_text_part(const bj::value& part) {
    const bj::value* const type =
        part.is_object() ? part.get_object().if_contains("type") : nullptr;
    return type != nullptr && type->is_string() && type->get_string() == "text";
}

// Text, parts of text, or nothing.
bool is_text_content(const bj::value* content) {
    if (content == nullptr || content->is_null() || content->is_string()) {
        return true;
    }
    return content->is_array() && std::ranges::all_of(content->get_array(), is_text_part);
}

Result<void> check_messages(const bj::object& body) {
    const bj::value* const messages = body.if_contains("messages");
    if (messages == nullptr || !messages->is_array()) {
        return against("messages");
    }
    for (const bj::value& message : messages->get_array()) {
        if (!message.is_object() || !is_text_content(message.get_object().if_contains("content"))) {
            return against("messages");
        }
    }
    return {};
}

std::optional<TokenIds> ids_of(const bj::array& array) {
    TokenIds ids;
    ids.reserve(array.size());
    for (const bj::value& element : array) {
        const auto id = json::detail::as_signed(element);
        if (!id || *id < 0 || *id > std::numeric_limits<std::int32_t>::max()) {
            return std::nullopt;
        }
        ids.push_back(static_cast<std::int32_t>(*id));
    }
    return ids;
}

}  // namespace

std::optional<StreamShape> stream_shape(std::string_view target) {
    const std::string_view path = target.substr(0, target.find('?'));
    if (path == "/v1/chat/completions") {
        return StreamShape::chat;
    }
    return path == "/v1/completions" ? std::optional(StreamShape::text) : std::nullopt;
}

Result<ResumeRequest> ResumeRequest::read(StreamShape shape, std::string_view body) {
    auto tree = json::parse(body);
    if (!tree || !tree->is_object()) {
        return fail(Errc::invalid_params, "the body: must be a JSON object");
    }
    ResumeRequest request;
    request.shape_ = shape;
    request.body_ = body;
    request.options_ = std::move(tree->get_object());
    auto checked = check_fields(request.options_);
    if (checked) {
        checked = request.read_limit();
    }
    if (checked) {
        checked = request.read_prompt();
    }
    if (!checked) {
        return std::unexpected(checked.error());
    }
    const bj::value* const options = request.options_.if_contains("stream_options");
    const bj::value* const usage = options != nullptr && options->is_object()
                                       ? options->get_object().if_contains("include_usage")
                                       : nullptr;
    request.include_usage_ = usage != nullptr && usage->is_bool() && usage->get_bool();
    request.read_stop();
    for (const std::string_view field : kNotForCompletion) {
        request.options_.erase(field);
    }
    for (const std::string_view field : kInTheWay) {
        request.options_.erase(field);
    }
    return request;
}

// llama-server generates one token when it is asked for none, and as many as it likes below that.
Result<void> ResumeRequest::read_limit() {
    for (const std::string_view field : {"max_tokens", "max_completion_tokens", "n_predict"}) {
        const bj::value* const value = options_.if_contains(field);
        if (value == nullptr || value->is_null()) {
            continue;
        }
        const auto count = json::detail::as_signed(*value);
        if (!count) {
            return against(field);
        }
        if (*count < 0) {
            continue;
        }
        const auto wanted = static_cast<std::uint64_t>(std::max<std::int64_t>(*count, 1));
        if (limit_ && *limit_ != wanted) {
            return against(field);
        }
        limit_ = wanted;
    }
    return {};
}

Result<void> ResumeRequest::read_prompt() {
    if (shape_ == StreamShape::chat) {
        return check_messages(options_);
    }
    const bj::value* prompt = options_.if_contains("prompt");
    if (prompt != nullptr && prompt->is_array() && prompt->get_array().size() == 1 &&
        prompt->get_array().front().is_string()) {
        prompt = &prompt->get_array().front();
    }
    if (prompt != nullptr && prompt->is_string()) {
        prompt_text_ = std::string(prompt->get_string());
    } else if (prompt != nullptr && prompt->is_array()) {
        prompt_ids_ = ids_of(prompt->get_array());
    }
    if (!prompt_text_ && (!prompt_ids_ || prompt_ids_->empty())) {
        return against("prompt");
    }
    return {};
}

// OpenAI's single string; /completion reads lists only.
void ResumeRequest::read_stop() {
    bj::value* const stop = options_.if_contains("stop");
    if (stop != nullptr && stop->is_string()) {
        *stop = bj::array{bj::value(*stop)};
    } else if (stop != nullptr && stop->is_null()) {
        options_.erase("stop");
    }
}

std::string ResumeRequest::completion_body(
    std::span<const std::int32_t> prompt, std::optional<std::uint64_t> most
) const {
    bj::object body = options_;
    bj::array ids;
    ids.reserve(prompt.size());
    for (const std::int32_t id : prompt) {
        ids.emplace_back(id);
    }
    body["prompt"] = std::move(ids);
    body["stream"] = true;
    if (most) {
        body["n_predict"] = *most;
    }
    return json::serialize(body);
}

}  // namespace orch::engine
