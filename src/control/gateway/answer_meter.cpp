#include "control/gateway/answer_meter.hpp"

namespace orch::control::gateway {

void AnswerMeter::event(const engine::Event& event, Instant now) {
    if (engine::is_token(event)) {
        ++tokens_;
        first_token_ = first_token_.value_or(now);
    }
    usage_.update(engine::read_usage(event.data));
    if (engine::is_terminal(event) && !engine::is_error(event.data) && event.name != "error") {
        end_ = end_.value_or(now);
    }
}

void AnswerMeter::whole(std::string_view body) {
    usage_.update(engine::read_usage(body));
}

engine::Usage AnswerMeter::usage() const {
    engine::Usage usage = usage_;
    if (!usage.tokens_out && tokens_ > 0) {
        usage.tokens_out = tokens_;
    }
    return usage;
}

std::optional<Duration> AnswerMeter::decode_time() const {
    return first_token_ && end_ ? std::optional(*end_ - *first_token_) : std::nullopt;
}

}  // namespace orch::control::gateway
