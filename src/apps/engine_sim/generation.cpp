#include "apps/engine_sim/generation.hpp"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <utility>

namespace orch::engine_sim {
namespace {

constexpr Duration kResultWait = std::chrono::seconds(1);
constexpr Duration kWriteLimit = std::chrono::hours(24);

double to_fractional_ms(Duration duration) {
    return std::chrono::duration<double, std::milli>(duration).count();
}

Duration per_token(double tokens_per_second) {
    if (tokens_per_second <= 0) {
        return Duration::zero();
    }
    return std::chrono::duration_cast<Duration>(
        std::chrono::duration<double>(1.0 / tokens_per_second)
    );
}

// The whole process, so that no probe is answered either and no CPU time is used.
[[noreturn]] void hang() {
    for (;;) {
        ::pause();
    }
}

// As an engine whose threads are all at a prompt: busy, and deaf to probes.
void compute_until(const async::AsyncClock& clock, Instant end) {
    while (clock.now() < end) {
    }
}

}  // namespace

Generation::Generation(
    EngineState& engine, net::Connection& connection, SimRequest request, HeadTraits traits
)
    : engine_(engine),
      connection_(connection),
      request_(std::move(request)),
      traits_(std::move(traits)),
      frame_{
          .shape = request_.shape,
          .id = "chatcmpl-" + engine.random_id(),
          .model = engine.options.alias,
          .created = unix_ms(engine.clock.wall()) / 1000,
      },
      answer_(request_.prompt, request_.begun, engine.options.answer_tokens),
      words_(std::min(answer_.size(), request_.max_tokens.value_or(answer_.size()))),
      alarm_(connection.socket().get_executor()),
      place_(engine.slots, [this] { alarm_.ring(); }),
      came_(engine.clock.now()) {
    engine_.running.insert(&alarm_);
    connection_.watch_peer([this] { client_left(); });
}

Generation::~Generation() {
    connection_.stop_watching();
    engine_.running.erase(&alarm_);
}

void Generation::client_left() {
    left_ = engine_.clock.now();
    alarm_.ring();
}

// llama-server waits for a result a second at a time and looks at its client when one was in vain.
Instant Generation::noticed_at() const {
    if (!left_) {
        return Instant::max();
    }
    if (streaming_ || engine_.stopping) {
        return *left_;
    }
    const Instant wait_began = std::max(engine_.last_result, came_);
    const auto waits = std::max<Duration::rep>(1, (*left_ - wait_began) / kResultWait + 1);
    return wait_began + waits * kResultWait;
}

Task<bool> Generation::pause(Until until, Instant when) {
    const Duration ping_after =
        std::chrono::seconds(request_.ping_secs.value_or(engine_.options.ping_secs));
    for (;;) {
        const Instant now = engine_.clock.now();
        if (now >= noticed_at()) {
            co_return false;
        }
        const bool over = until == Until::slot ? place_.has_slot() : now >= when;
        if (over && !engine_.stopping) {
            co_return true;
        }
        Instant wake = noticed_at();
        if (!engine_.stopping) {
            wake = std::min(wake, when);
        }
        if (streaming_ && !engine_.stopping) {
            if (now >= last_sent_ + ping_after) {
                std::string ping = as_chunk(":\n\n");
                co_await send(std::move(ping));
                continue;
            }
            wake = std::min(wake, last_sent_ + ping_after);
        }
        co_await alarm_.wait_until(wake);
    }
}

Task<bool> Generation::send(std::string bytes) {
    std::vector<asio::const_buffer> pieces{asio::buffer(bytes)};
    const bool sent = co_await connection_.write(std::move(pieces), kWriteLimit);
    last_sent_ = engine_.clock.now();
    if (!sent && !left_) {
        left_ = last_sent_;
    }
    co_return sent;
}

Task<void> Generation::crash_inside(std::string bytes) {
    if (request_.stream) {
        bytes.resize(bytes.size() / 2);
        co_await send(std::move(bytes));
    }
    ::kill(::getpid(), SIGKILL);
}

Task<bool> Generation::run() {
    const bool started = co_await pause(Until::slot, Instant::max());
    if (!started) {
        co_return false;
    }
    began_ = engine_.clock.now();
    compute_until(engine_.clock, began_ + std::chrono::milliseconds(engine_.options.compute_ms));
    first_ = began_ + std::chrono::milliseconds(engine_.options.ttft_ms);
    place_.record().task = ++engine_.tasks;
    place_.record().prompt_tokens = request_.prompt_tokens;
    if (request_.stream) {
        std::string head = stream_head(traits_);
        streaming_ = co_await send(std::move(head));
    }
    const bool written = co_await write_words();
    if (!written) {
        co_return false;
    }
    co_return co_await finish();
}

Task<bool> Generation::write_words() {
    const Duration step = per_token(engine_.options.tokens_per_second);
    for (std::uint32_t i = 0; i < words_; ++i) {
        const Instant due = first_ + i * step;
        const bool waited = co_await pause(Until::time, due);
        if (!waited) {
            co_return false;
        }
        if (engine_.options.hang_after_tokens == i) {
            hang();
        }
        place_.record().decoded = i + 1;
        place_.record().left = words_ - i - 1;
        const bool written = co_await write_word(i);
        if (!written) {
            co_return false;
        }
    }
    if (engine_.options.hang_after_tokens == words_) {
        hang();
    }
    co_return true;
}

Task<bool> Generation::write_word(std::uint32_t i) {
    const std::string word = answer_.word(i);
    std::string events;
    if (request_.stream) {
        const bool begins = i == 0 && request_.shape == AnswerShape::chat;
        events = as_chunk((begins ? role_event(frame_) : "") + event_of(word, i + 1));
    }
    if (engine_.options.crash_after_tokens == i + 1) {
        co_await crash_inside(std::move(events));
    }
    text_ += word;
    if (!request_.stream) {
        co_return true;
    }
    engine_.last_result = engine_.clock.now();
    co_return co_await send(std::move(events));
}

std::string Generation::event_of(const std::string& word, std::uint32_t count) {
    if (request_.shape != AnswerShape::raw) {
        return text_event(frame_, word);
    }
    const Timings so_far{.prompt_n = request_.prompt_tokens, .predicted_n = count};
    return raw_event(word, engine_.vocabulary.tokenize(word).front().id, so_far);
}

// A raw completion has no mark behind its last event.
std::string Generation::last_chunks(std::string_view reason) const {
    if (request_.shape == AnswerShape::raw) {
        return as_chunk(as_event(raw_json(frame_, "", reason, timings()))) + "0\r\n\r\n";
    }
    return as_chunk(finish_events(frame_, reason, request_.include_usage, timings())) +
           as_chunk("data: [DONE]\n\n") + "0\r\n\r\n";
}

Task<bool> Generation::finish() {
    const std::string_view reason = request_.max_tokens == words_ ? "length" : "stop";
    engine_.last_result = engine_.clock.now();
    if (request_.stream) {
        std::string last = last_chunks(reason);
        co_await send(std::move(last));
        co_return false;
    }
    // A continued chat answer is repeated from its beginning.
    const bool repeats = request_.shape == AnswerShape::chat;
    const std::string text = (repeats ? request_.begun : "") + text_;
    const std::string body = request_.shape == AnswerShape::raw
                                 ? raw_json(frame_, text, reason, timings())
                                 : whole_json(frame_, text, reason, timings());
    std::string answer = json_head(200, body.size(), traits_) + body;
    const bool sent = co_await send(std::move(answer));
    co_return sent && !traits_.close;
}

Timings Generation::timings() const {
    // The token that ends an answer counts, though no event shows it.
    const bool ended = request_.max_tokens != words_;
    return Timings{
        .prompt_n = request_.prompt_tokens,
        .prompt_ms = to_fractional_ms(first_ - began_),
        .predicted_n = words_ + (ended ? 1 : 0),
        .predicted_ms = to_fractional_ms(engine_.clock.now() - first_),
    };
}

}  // namespace orch::engine_sim
