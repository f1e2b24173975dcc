#pragma once

#include "base/clock.hpp"
#include "control/gateway/answer_meter.hpp"
#include "control/gateway/answer_record.hpp"
#include "control/gateway/caller.hpp"
#include "control/gateway/continued_stream.hpp"
#include "control/gateway/gateway_config.hpp"
#include "engine/sse.hpp"
#include "net/client_exchange.hpp"

#include <cstdint>
#include <functional>
#include <string_view>

namespace orch::control::gateway {

// Carries one answer from a node to whoever asked. A stream of events is passed on event by event:
// a partial event is held back until its rest comes, so that a broken stream ends between events.
// Any other answer is held until it is complete, up to a limit, so that a death in its middle can
// still be made up for elsewhere.
//
// Of a stream that may have to be continued elsewhere two things are held back until they can be
// told in whole: its first event until there is text behind it, and its finish until the stream's
// end. llama-server writes both with what follows them, so nobody waits for it.
class AnswerRelay {
public:
    // How this answer relates to what the client has already.
    struct Part {
        AnswerRecord* record = nullptr;        // notes what the client gets; null: nobody needs it
        ContinuedStream* continued = nullptr;  // translates the answer; null: it passes as it is
        bool head_sent = false;                // the client has the head and waits for events
    };

    enum class State { begun, complete, failed, client_gone };

    struct Step {
        State state = State::failed;
        net::UpstreamFailure failure = net::UpstreamFailure::none;  // of State::failed
    };

    // `headers`: what the caller gets beside status and body. `on_upstream_done`: called once the
    // engine's part is over and its slot is free, before the client has the last bytes. `meter`
    // sees what passes.
    AnswerRelay(
        net::ClientExchange& upstream,
        Caller& client,
        const GatewayConfig& config,
        net::Headers headers,
        std::function<void()> on_upstream_done,
        AnswerMeter& meter,
        const Clock& clock,
        Part part
    );

    // Reads until bytes have gone to the client (begun), the whole answer has (complete), or the
    // answer broke before any did (failed).
    Task<Step> begin();

    // The rest of an answer that has begun.
    Task<Step> rest();

    bool is_event_stream() const { return event_stream_; }

private:
    Task<Step> begin_stream();
    Task<Step> begin_plain();
    Task<bool> begin_head();
    Task<bool> pass_events(std::string_view events);
    std::string_view translate(std::string_view raw);
    std::string_view whole_part(std::string_view events);
    void note(std::string_view events);

    net::ClientExchange& upstream_;
    Caller& client_;
    const GatewayConfig& config_;
    net::Headers headers_;
    std::function<void()> on_upstream_done_;
    bool event_stream_;
    engine::EventBuffer events_;
    bool terminal_ = false;  // the last event of the answer has come
    AnswerMeter& meter_;
    const Clock& clock_;
    Part part_;
    bool news_came_ = false;
    bool finish_came_ = false;
    std::string translated_;
    std::string held_;  // whole events
    std::string whole_;
};

}  // namespace orch::control::gateway
