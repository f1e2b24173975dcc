#include "engine/llama_completion.hpp"

#include "base/json.hpp"

#include <utility>

namespace orch::engine {
namespace {

namespace bj = json::bj;

struct TemplateAnswer {
    std::optional<std::string> prompt;
};

struct TokenizeRequest {
    std::string content;
    bool add_special = false;
    bool parse_special = false;
    bool with_pieces = true;
};

struct Token {
    std::optional<std::int32_t> id;
    bj::value piece;  // text, or bytes where it is no UTF-8
};

struct TokenizeAnswer {
    std::optional<std::vector<Token>> tokens;
};

struct CompletionFields {
    std::optional<std::string> content;
    bool stop = false;
    std::string stop_type;
    std::uint64_t tokens_predicted = 0;
};

BOOST_DESCRIBE_STRUCT(TemplateAnswer, (), (prompt))
BOOST_DESCRIBE_STRUCT(TokenizeRequest, (), (content, add_special, parse_special, with_pieces))
BOOST_DESCRIBE_STRUCT(Token, (), (id, piece))
BOOST_DESCRIBE_STRUCT(TokenizeAnswer, (), (tokens))
BOOST_DESCRIBE_STRUCT(CompletionFields, (), (content, stop, stop_type, tokens_predicted))

std::unexpected<Error> missing(std::string_view field) {
    return fail(Errc::invalid_params, std::string(field) + ": is missing");
}

Result<void> add_piece(const bj::value& piece, std::string& text) {
    if (piece.is_string()) {
        text += piece.get_string();
        return {};
    }
    std::vector<std::uint8_t> bytes;
    if (auto read = json::read_into(piece, bytes, "tokens[].piece"); !read) {
        return read;
    }
    text.append(bytes.begin(), bytes.end());
    return {};
}

}  // namespace

Result<std::string> parse_template_prompt(std::string_view body) {
    auto answer = json::decode<TemplateAnswer>(body);
    if (!answer) {
        return std::unexpected(answer.error());
    }
    if (!answer->prompt) {
        return missing("prompt");
    }
    return std::move(*answer->prompt);
}

std::string tokenize_body(std::string_view text, TokenizeAs as) {
    const bool prompt = as == TokenizeAs::prompt;
    return json::encode(TokenizeRequest{std::string(text), prompt, prompt, true});
}

Result<Tokens> parse_tokens(std::string_view body) {
    const auto answer = json::decode<TokenizeAnswer>(body);
    if (!answer) {
        return std::unexpected(answer.error());
    }
    if (!answer->tokens) {
        return missing("tokens");
    }
    Tokens tokens;
    tokens.ids.reserve(answer->tokens->size());
    for (const Token& token : *answer->tokens) {
        if (!token.id) {
            return missing("tokens[].id");
        }
        tokens.ids.push_back(*token.id);
        if (auto added = add_piece(token.piece, tokens.text); !added) {
            return std::unexpected(added.error());
        }
    }
    return tokens;
}

Result<CompletionEvent> parse_completion_event(std::string_view data) {
    auto fields = json::decode<CompletionFields>(data);
    if (!fields) {
        return std::unexpected(fields.error());
    }
    if (!fields->content) {
        return missing("content");
    }
    return CompletionEvent{
        .text = std::move(*fields->content),
        .last = fields->stop,
        .cut = fields->stop_type == "limit",
        .generated = fields->tokens_predicted,
    };
}

}  // namespace orch::engine
