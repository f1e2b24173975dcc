#include "control/gateway/continuation_fsm.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace orch::control::gateway {

using engine::TokenizeAs;

namespace {

std::unexpected<Error> not_taken_up(std::string_view why) {
    return fail(Errc::worker_reset, fmt::format("the answer cannot be continued: {}", why));
}

}  // namespace

ContinuationFsm::ContinuationFsm(const engine::ResumeRequest& request, std::string text)
    : request_(request), text_(std::move(text)) {
    if (request_.prompt_ids()) {
        prompt_ = *request_.prompt_ids();
        ask_text();
    } else if (request_.prompt_text()) {
        prompt_text_ = *request_.prompt_text();
        ask_tokens(State::prompt_asked, prompt_text_, TokenizeAs::prompt);
    } else {
        state_ = State::template_asked;
        body_ = request_.template_body();
    }
}

ContinuationFsm::Step ContinuationFsm::step() const {
    if (state_ != State::known) {
        return Step::ask;
    }
    return at_limit_ ? Step::at_limit : Step::generate;
}

std::string_view ContinuationFsm::path() const {
    switch (state_) {
        case State::template_asked:
            return "/apply-template";
        case State::known:
            return "/completion";
        default:
            return "/tokenize";
    }
}

void ContinuationFsm::ask_tokens(State state, std::string_view text, TokenizeAs as) {
    state_ = state;
    body_ = engine::tokenize_body(text, as);
}

void ContinuationFsm::ask_text() {
    if (text_.empty()) {
        know();
        return;
    }
    ask_tokens(State::text_asked, text_, TokenizeAs::part);
}

void ContinuationFsm::know() {
    state_ = State::known;
    std::optional<std::uint64_t> most;
    if (request_.limit()) {
        at_limit_ = text_tokens_.size() >= *request_.limit();
        most = at_limit_ ? 0 : *request_.limit() - text_tokens_.size();
    }
    engine::TokenIds all = prompt_;
    all.insert(all.end(), text_tokens_.begin(), text_tokens_.end());
    body_ = request_.completion_body(all, most);
}

Result<void> ContinuationFsm::accept(std::string_view answer) {
    if (state_ == State::template_asked) {
        auto prompt = engine::parse_template_prompt(answer);
        if (!prompt) {
            return not_taken_up(prompt.error().message);
        }
        prompt_text_ = std::move(*prompt);
        ask_tokens(State::prompt_asked, prompt_text_, TokenizeAs::prompt);
        return {};
    }
    auto tokens = engine::parse_tokens(answer);
    if (!tokens) {
        return not_taken_up(tokens.error().message);
    }
    switch (state_) {
        case State::prompt_asked: {
            prompt_ = std::move(tokens->ids);
            prompt_spelt_ = std::move(tokens->text);
            ask_text();
            return {};
        }
        case State::text_asked:
            return take_text(std::move(*tokens));
        default:
            return take_whole(std::move(*tokens));
    }
}

Result<void> ContinuationFsm::take_text(engine::Tokens tokens) {
    if (tokens.text == text_) {
        text_tokens_ = std::move(tokens.ids);
        know();
        return {};
    }
    if (request_.prompt_ids()) {
        return not_taken_up("its tokens do not spell its text");
    }
    ask_tokens(State::whole_asked, prompt_text_ + text_, TokenizeAs::prompt);
    return {};
}

Result<void> ContinuationFsm::take_whole(engine::Tokens tokens) {
    const bool begins_so = tokens.ids.size() >= prompt_.size() &&
                           std::equal(prompt_.begin(), prompt_.end(), tokens.ids.begin());
    if (!begins_so || tokens.text != prompt_spelt_ + text_) {
        return not_taken_up("its tokens do not spell its text");
    }
    const auto behind = tokens.ids.begin() + static_cast<std::ptrdiff_t>(prompt_.size());
    text_tokens_.assign(behind, tokens.ids.end());
    know();
    return {};
}

}  // namespace orch::control::gateway
