#include "engine/delta.hpp"

#include "base/json.hpp"

#include <utility>

namespace orch::engine {
namespace {

namespace bj = json::bj;

const bj::value* member(const bj::value* value, std::string_view key) {
    return value != nullptr && value->is_object() ? value->get_object().if_contains(key) : nullptr;
}

std::string_view text_at(const bj::value* object, std::string_view key) {
    const bj::value* const found = member(object, key);
    if (found == nullptr || !found->is_string()) {
        return {};
    }
    return {found->get_string().data(), found->get_string().size()};
}

void add_text(Delta& delta, PieceKind kind, std::string_view text) {
    if (!text.empty()) {
        delta.pieces.push_back({kind, std::string(text)});
    }
}

void add_tools(Delta& delta, const bj::value* calls) {
    if (calls == nullptr || !calls->is_array()) {
        return;
    }
    for (const bj::value& call : calls->get_array()) {
        add_text(delta, PieceKind::tool, json::serialize(call));
    }
}

void add_choice(Delta& delta, const bj::value& choice) {
    add_text(delta, PieceKind::text, text_at(&choice, "text"));
    const bj::value* const said = member(&choice, "delta");
    add_text(delta, PieceKind::reasoning, text_at(said, "reasoning_content"));
    add_text(delta, PieceKind::reasoning, text_at(said, "reasoning"));
    add_text(delta, PieceKind::text, text_at(said, "content"));
    add_tools(delta, member(said, "tool_calls"));
}

std::optional<std::uint64_t> count_at(const bj::value* object, std::string_view key) {
    const bj::value* const found = member(object, key);
    return found == nullptr ? std::nullopt : json::detail::as_unsigned(*found);
}

std::optional<double> milliseconds_at(const bj::value* object, std::string_view key) {
    const bj::value* const found = member(object, key);
    if (found == nullptr || !found->is_number()) {
        return std::nullopt;
    }
    return found->to_number<double>();
}

Figures figures_of(const bj::value& tree) {
    const bj::value* const usage = member(&tree, "usage");
    const bj::value* const timings = member(&tree, "timings");
    return {
        count_at(usage, "prompt_tokens"),
        count_at(usage, "completion_tokens"),
        milliseconds_at(timings, "prompt_ms"),
        milliseconds_at(timings, "predicted_ms"),
    };
}

}  // namespace

std::string_view to_string(PieceKind kind) {
    switch (kind) {
        case PieceKind::reasoning:
            return "reasoning";
        case PieceKind::tool:
            return "tool";
        case PieceKind::text:
            break;
    }
    return "text";
}

Delta parse_delta(std::string_view data) {
    Delta delta;
    const auto tree = json::parse(data);
    if (!tree) {
        return delta;
    }
    const bj::value* const choices = member(&*tree, "choices");
    if (choices != nullptr && choices->is_array()) {
        for (const bj::value& choice : choices->get_array()) {
            add_choice(delta, choice);
        }
    }
    delta.figures = figures_of(*tree);
    return delta;
}

Figures parse_figures(std::string_view answer) {
    const auto tree = json::parse(answer);
    return tree ? figures_of(*tree) : Figures{};
}

}  // namespace orch::engine
