#include "control/tasks/answer_reader.hpp"

#include "api/task_events.hpp"
#include "engine/llamacpp.hpp"
#include "engine/sse.hpp"

#include <fmt/format.h>

#include <utility>

namespace orch::control::tasks {
namespace {

Errc code_of(engine::ErrorCause cause) {
    switch (cause) {
        case engine::ErrorCause::context:
            return Errc::context_length_exceeded;
        case engine::ErrorCause::request:
        case engine::ErrorCause::unsupported:
            return Errc::invalid_params;
        case engine::ErrorCause::loading:
            return Errc::model_not_available;
        case engine::ErrorCause::engine:
            break;
    }
    return Errc::worker_reset;
}

template <class T>
void take(std::optional<T>& into, const std::optional<T>& from) {
    if (from) {
        into = from;
    }
}

void take(engine::Figures& into, const engine::Figures& from) {
    take(into.tokens_in, from.tokens_in);
    take(into.tokens_out, from.tokens_out);
    take(into.prompt_ms, from.prompt_ms);
    take(into.decode_ms, from.decode_ms);
}

}  // namespace

Error error_of_answer(int status, std::string_view body) {
    const auto said = engine::parse_engine_error(body);
    if (!said) {
        const Errc code = status >= 400 && status < 500 ? Errc::invalid_params : Errc::worker_reset;
        return {code, fmt::format("the engine answered {}", status), {}};
    }
    return {code_of(engine::cause_of(status, *said)), "the engine: " + said->message, {}};
}

TaskReport AnswerReader::read(std::string_view whole_events, Instant now) {
    TaskReport report;
    engine::EventReader reader(whole_events);
    while (const auto event = reader.next()) {
        if (engine::is_error(event->data)) {
            const auto said = engine::parse_engine_error(event->data);
            error_ = error_of_answer(said && said->code != 0 ? said->code : 500, event->data);
            continue;
        }
        engine::Delta delta = engine::parse_delta(event->data);
        for (engine::Piece& piece : delta.pieces) {
            add_piece(report, std::move(piece), now);
        }
        take(figures_, delta.figures);
    }
    report.tokens = tokens_;
    return report;
}

void AnswerReader::add_piece(TaskReport& report, engine::Piece piece, Instant now) {
    first_ = tokens_ == 0 ? now : first_;
    last_ = now;
    if (piece.kind == engine::PieceKind::text) {
        report.text += piece.text;
    }
    const std::string kind(to_string(piece.kind));
    report.events.push_back(
        {"token", api::to_json(api::TokenEvent{std::move(piece.text), tokens_, kind})}
    );
    ++tokens_;
}

RunEnd AnswerReader::finish() const {
    RunEnd end;
    end.error = error_;
    end.figures = figures_;
    end.decoding = last_ - first_;
    return end;
}

}  // namespace orch::control::tasks
