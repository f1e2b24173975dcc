#pragma once

#include "base/clock.hpp"
#include "control/gateway/answer_meter.hpp"
#include "control/gateway/caller.hpp"
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
class AnswerRelay {
public:
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
        const Clock& clock
    );

    // Reads until bytes have gone to the client (begun), the whole answer has (complete), or the
    // answer broke before any did (failed).
    Task<Step> begin();

    // The rest of an answer that has begun.
    Task<Step> rest();

    bool is_event_stream() const { return event_stream_; }

    std::uint64_t tokens() const { return meter_.tokens(); }

private:
    Task<Step> begin_stream();
    Task<Step> begin_plain();
    Task<bool> pass_events(std::string_view events);

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
};

}  // namespace orch::control::gateway
