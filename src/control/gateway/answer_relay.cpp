#include "control/gateway/answer_relay.hpp"

#include <utility>

namespace orch::control::gateway {
namespace {

using Piece = net::BodyPiece::State;
using Step = AnswerRelay::Step;

bool is_event_stream(const net::ResponseHead& head) {
    constexpr std::string_view kEventStream = "text/event-stream";
    const std::string_view type = head.headers.find("Content-Type").value_or("");
    return head.status == 200 && net::iequals(type.substr(0, kEventStream.size()), kEventStream);
}

// An engine that neither begins nor ends, event after event, is passed on as it is.
constexpr std::size_t kMostHeld = 64 * kKiB;

constexpr Step kClientGone{AnswerRelay::State::client_gone, net::UpstreamFailure::none};
constexpr Step kComplete{AnswerRelay::State::complete, net::UpstreamFailure::none};
constexpr Step kBegun{AnswerRelay::State::begun, net::UpstreamFailure::none};

Step failed(net::UpstreamFailure failure) {
    return {AnswerRelay::State::failed, failure};
}

}  // namespace

AnswerRelay::AnswerRelay(
    net::ClientExchange& upstream,
    Caller& client,
    const GatewayConfig& config,
    net::Headers headers,
    std::function<void()> on_upstream_done,
    AnswerMeter& meter,
    const Clock& clock,
    Part part
)
    : upstream_(upstream),
      client_(client),
      config_(config),
      headers_(std::move(headers)),
      on_upstream_done_(std::move(on_upstream_done)),
      event_stream_(gateway::is_event_stream(upstream.head())),
      meter_(meter),
      clock_(clock),
      part_(part) {}

Task<Step> AnswerRelay::begin() {
    if (event_stream_) {
        co_return co_await begin_stream();
    }
    co_return co_await begin_plain();
}

// Nothing reaches the client before the first whole event: an engine that dies while it reads the
// prompt costs the client nothing but time.
Task<Step> AnswerRelay::begin_stream() {
    for (;;) {
        const net::BodyPiece piece = co_await upstream_.read(config_.first_byte_limit);
        if (piece.state != Piece::data) {
            const bool empty = piece.state == Piece::complete;
            co_return failed(empty ? net::UpstreamFailure::reset_mid_body : piece.failure);
        }
        const std::string_view events = whole_part(translate(events_.feed(piece.bytes)));
        if (events.empty()) {
            continue;
        }
        const bool begun = part_.head_sent || co_await begin_head();
        const bool sent = begun && co_await pass_events(events);
        co_return sent ? kBegun : kClientGone;
    }
}

Task<bool> AnswerRelay::begin_head() {
    return client_.begin(upstream_.head().status, std::move(headers_), std::nullopt);
}

Task<Step> AnswerRelay::begin_plain() {
    const int status = upstream_.head().status;
    std::string answer;
    for (;;) {
        const net::BodyPiece piece = co_await upstream_.read(config_.first_byte_limit);
        if (piece.state == Piece::failed) {
            co_return failed(piece.failure);
        }
        if (piece.state == Piece::complete) {
            on_upstream_done_();
            meter_.whole(answer);
            net::Response response{.status = status, .headers = {}, .body = {}};
            response.headers = std::move(headers_);
            response.body = std::move(answer);
            const bool sent = co_await client_.respond(std::move(response));
            co_return sent ? kComplete : kClientGone;
        }
        answer += piece.bytes;
        if (answer.size() > config_.held_answer) {
            break;
        }
    }
    const std::optional<Bytes> length = upstream_.head().content_length;
    const bool begun = co_await client_.begin(status, std::move(headers_), length);
    const bool sent = begun && co_await client_.write(answer);
    co_return sent ? kBegun : kClientGone;
}

Task<Step> AnswerRelay::rest() {
    for (;;) {
        const net::BodyPiece piece = co_await upstream_.read(config_.idle_limit);
        // Only its last event tells whether a stream of events is whole: not how HTTP ended.
        if (piece.state == Piece::failed && !terminal_) {
            co_return failed(piece.failure);
        }
        if (piece.state != Piece::data) {
            if (event_stream_ && !terminal_) {
                co_return failed(net::UpstreamFailure::reset_mid_body);
            }
            on_upstream_done_();
            const bool sent = co_await client_.end();
            co_return sent ? kComplete : kClientGone;
        }
        bool sent = true;
        if (event_stream_) {
            const std::string_view events = whole_part(translate(events_.feed(piece.bytes)));
            sent = events.empty() || co_await pass_events(events);
        } else {
            sent = co_await client_.write(piece.bytes);
        }
        if (!sent) {
            co_return kClientGone;
        }
    }
}

Task<bool> AnswerRelay::pass_events(std::string_view events) {
    const bool sent = co_await client_.write(events);
    if (sent) {
        note(events);
    }
    co_return sent;
}

void AnswerRelay::note(std::string_view events) {
    engine::EventReader reader(events);
    const Instant now = clock_.now();
    while (const auto event = reader.next()) {
        meter_.event(*event, now);
        terminal_ = terminal_ || engine::is_terminal(*event);
        if (part_.record != nullptr) {
            part_.record->sent(*event);
        }
    }
    if (terminal_ && part_.continued != nullptr) {
        meter_.total(part_.continued->usage());
    }
}

// Comments, which keep a silent connection alive, pass as they are.
std::string_view AnswerRelay::translate(std::string_view raw) {
    if (part_.continued == nullptr || raw.empty()) {
        return raw;
    }
    translated_.clear();
    bool any = false;
    engine::EventReader reader(raw);
    while (const auto event = reader.next()) {
        any = true;
        translated_ += part_.continued->translate(*event);
    }
    return any ? std::string_view(translated_) : raw;
}

// What may be sent now, with what was held back before.
std::string_view AnswerRelay::whole_part(std::string_view events) {
    if (part_.record == nullptr || events.empty()) {
        return events;
    }
    bool any = false;
    bool last = false;
    engine::EventReader reader(events);
    while (const auto event = reader.next()) {
        any = true;
        news_came_ = news_came_ || AnswerRecord::is_news(*event);
        finish_came_ = finish_came_ || AnswerRecord::is_finish(*event);
        last = last || engine::is_terminal(*event);
    }
    const bool fits = held_.size() + events.size() <= kMostHeld;
    const bool hold = fits && !last && (finish_came_ || (any && !news_came_));
    if (hold || !held_.empty()) {
        held_ += events;
    }
    if (hold) {
        return {};
    }
    if (held_.empty()) {
        return events;
    }
    whole_ = std::exchange(held_, {});
    return whole_;
}

}  // namespace orch::control::gateway
