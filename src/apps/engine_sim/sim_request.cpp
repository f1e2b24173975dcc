#include "apps/engine_sim/sim_request.hpp"

#include "apps/engine_sim/answer_text.hpp"
#include "base/json.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace orch::engine_sim {
namespace {

struct StreamOptions {
    bool include_usage = false;
};

struct CommonFields {
    bool stream = false;
    StreamOptions stream_options;
    std::optional<std::int64_t> max_tokens;
    std::optional<std::int64_t> n_predict;
    std::optional<std::uint32_t> sse_ping_interval;
};

struct ContentPart {
    std::string text;
};

BOOST_DESCRIBE_STRUCT(StreamOptions, (), (include_usage))
BOOST_DESCRIBE_STRUCT(
    CommonFields, (), (stream, stream_options, max_tokens, n_predict, sse_ping_interval)
)
BOOST_DESCRIBE_STRUCT(ContentPart, (), (text))

std::unexpected<Refusal> bad_field(std::string message) {
    return std::unexpected(Refusal{400, "invalid_request_error", std::move(message)});
}

std::expected<json::bj::object, Refusal> read_object(std::string_view body) {
    constexpr std::string_view kEmpty =
        "[json.exception.parse_error.101] parse error at line 1, column 1: attempting to parse an "
        "empty input; check that your input string or stream contains the expected JSON";
    const auto tree = json::parse(body);
    if (tree && tree->is_object()) {
        return tree->get_object();
    }
    std::string message(kEmpty);
    if (!body.empty()) {
        message = fmt::format(
            "[json.exception.parse_error.101] parse error at line 1, column {}: syntax error while "
            "parsing value - unexpected end of input; expected '[', '{{', or a literal",
            body.size() + 1
        );
    }
    return std::unexpected(Refusal{500, "server_error", std::move(message)});
}

std::expected<void, Refusal> read_common(const json::bj::object& body, SimRequest& request) {
    CommonFields fields;
    if (const auto read = json::read_into(json::bj::value(body), fields, ""); !read) {
        const std::string& message = read.error().message;
        const std::string name = message.substr(0, message.find(':'));
        return bad_field(
            fmt::format("Field '{}': [json.exception.type_error.302] {}", name, message)
        );
    }
    if (fields.n_predict) {
        fields.max_tokens = fields.n_predict;
    }
    if (fields.max_tokens && *fields.max_tokens < -1) {
        return bad_field(fmt::format(
            "Field 'max_tokens': Value must be between -1 <= value <= 2147483647, but got {}",
            *fields.max_tokens
        ));
    }
    if (fields.max_tokens && *fields.max_tokens >= 0) {
        request.max_tokens =
            static_cast<std::uint32_t>(std::clamp<std::int64_t>(*fields.max_tokens, 1, 1 << 30));
    }
    request.stream = fields.stream;
    request.include_usage = fields.stream_options.include_usage;
    request.ping_secs = fields.sse_ping_interval;
    return {};
}

// A string, an array of parts, or nothing.
std::string content_of(const json::bj::object& message) {
    const json::bj::value* const content = message.if_contains("content");
    std::string text;
    std::vector<ContentPart> parts;
    if (content == nullptr || json::read_into(*content, text, "")) {
        return text;
    }
    if (json::read_into(*content, parts, "")) {
        for (const ContentPart& part : parts) {
            text += part.text;
        }
    }
    return text;
}

std::string role_of(const json::bj::object& message) {
    const json::bj::value* const role = message.if_contains("role");
    return role != nullptr && role->is_string() ? std::string(role->get_string()) : "user";
}

// ChatML; an assistant's last message stays open, so that the answer continues it.
void render(const json::bj::array& messages, SimRequest& request) {
    for (std::size_t i = 0; i < messages.size(); ++i) {
        if (!messages[i].is_object()) {
            continue;
        }
        const json::bj::object& message = messages[i].get_object();
        const std::string role = role_of(message);
        const std::string content = content_of(message);
        const bool open = role == "assistant" && i + 1 == messages.size();
        request.prompt +=
            fmt::format("<|im_start|>{}\n{}{}", role, content, open ? "" : "<|im_end|>\n");
        request.begun = open ? content : "";
    }
    if (request.begun.empty()) {
        request.prompt += "<|im_start|>assistant\n";
    }
}

std::expected<SimRequest, Refusal> text_request(
    const json::bj::object& body, AnswerShape shape, std::string prompt
) {
    SimRequest request{.shape = shape, .prompt = std::move(prompt)};
    if (auto read = read_common(body, request); !read) {
        return std::unexpected(std::move(read.error()));
    }
    const std::size_t template_end = request.prompt.rfind('\n');
    request.begun = request.prompt.substr(template_end == std::string::npos ? 0 : template_end + 1);
    request.prompt_tokens = std::max(count_words(request.prompt), 1U);
    return request;
}

}  // namespace

std::expected<SimRequest, Refusal> read_chat_request(std::string_view body) {
    const auto object = read_object(body);
    if (!object) {
        return std::unexpected(object.error());
    }
    const json::bj::value* const messages = object->if_contains("messages");
    if (messages == nullptr) {
        return bad_field("'messages' is required");
    }
    if (!messages->is_array()) {
        return bad_field("Expected 'messages' to be an array");
    }
    SimRequest request;
    if (auto read = read_common(*object, request); !read) {
        return std::unexpected(std::move(read.error()));
    }
    render(messages->get_array(), request);
    request.prompt_tokens = count_words(request.prompt);
    return request;
}

std::expected<SimRequest, Refusal> read_text_request(std::string_view body) {
    const auto object = read_object(body);
    if (!object) {
        return std::unexpected(object.error());
    }
    const json::bj::value* const prompt = object->if_contains("prompt");
    if (prompt == nullptr || !prompt->is_string()) {
        return bad_field("\"prompt\" must be a string");
    }
    return text_request(*object, AnswerShape::text, std::string(prompt->get_string()));
}

std::expected<SimRequest, Refusal> read_raw_request(
    std::string_view body, const Vocabulary& vocabulary
) {
    const auto object = read_object(body);
    if (!object) {
        return std::unexpected(object.error());
    }
    const json::bj::value* const prompt = object->if_contains("prompt");
    std::string text;
    std::vector<std::uint32_t> ids;
    if (prompt == nullptr ||
        (!json::read_into(*prompt, text, "") && !json::read_into(*prompt, ids, ""))) {
        return bad_field("\"prompt\" must be a string or a list of tokens");
    }
    for (const std::uint32_t id : ids) {
        if (!vocabulary.append(id, text)) {
            return bad_field("Prompt contains invalid tokens");
        }
    }
    return text_request(*object, AnswerShape::raw, std::move(text));
}

std::expected<std::string, Refusal> read_tokenize_request(std::string_view body) {
    const auto object = read_object(body);
    if (!object) {
        return std::unexpected(object.error());
    }
    const json::bj::value* const content = object->if_contains("content");
    std::string text;
    if (content != nullptr && !json::read_into(*content, text, "content")) {
        return bad_field("\"content\" must be a string");
    }
    return text;
}

}  // namespace orch::engine_sim
