#pragma once

#include "auth/live_auth.hpp"
#include "base/log.hpp"
#include "base/published.hpp"
#include "control/gateway/answer_meter.hpp"
#include "control/gateway/answer_probe.hpp"
#include "control/gateway/answer_relay.hpp"
#include "control/gateway/attempt_fsm.hpp"
#include "control/gateway/caller.hpp"
#include "control/gateway/continuation_fsm.hpp"
#include "control/gateway/edge_state.hpp"
#include "control/gateway/gateway_config.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace orch::control::gateway {

// What all requests of the gateway share.
struct GatewayContext {
    DispatchLoop& dispatch;
    const Published<GatewayConfig>& config;  // a request goes by what was in force when it came
    const auth::OutboundToken& token;        // sent to nodes
    Logger log;
    AnswerProbe& answers;

    // A node refused a connection and was not suspect before. Called on edges.
    std::function<void(const NodeId&)> on_refused{};
};

// One inference request from placement to the last byte: performs what its AttemptFsm decides. On
// its edge's thread; lives inside the request's handler, or inside a task's coroutine.
class InferenceRun {
public:
    InferenceRun(
        GatewayContext& context,
        EdgeState& edge,
        Caller& caller,
        placement::PlacementRequest request,
        admission::Priority priority
    );
    ~InferenceRun();
    InferenceRun(const InferenceRun&) = delete;
    InferenceRun& operator=(const InferenceRun&) = delete;

    Task<void> run();

    // The same for a request that waited in the queue before: it begins with the slot it was given.
    Task<void> run_granted(Grant grant);

private:
    Task<void> run_from(AttemptEvent event);
    AttemptEvent take(const Grant& grant);
    AttemptLimits limits() const;
    Task<AttemptEvent> perform(AttemptAction action);
    AttemptEvent place();
    Task<AttemptEvent> wait();
    bool may_try(SecondTry kind);
    Task<AttemptEvent> send();
    Task<net::UpstreamFailure> ask_node(std::string target, std::string_view body);
    std::optional<AnswerRecord> new_record() const;
    void open_relay(ContinuedStream* continued);
    Task<AttemptEvent> judge_node_answer();
    Task<AttemptEvent> relay(bool rest);
    AttemptEvent after(const AnswerRelay::Step& step, bool begun);
    AttemptEvent broken(net::UpstreamFailure failure);
    bool prepare_continuation();
    Task<AttemptEvent> send_rest();
    Task<std::optional<AttemptEvent>> ask_engine();
    Task<AttemptEvent> generate_rest();
    Task<AttemptEvent> end_at_limit();
    AttemptEvent engine_refused(int status);
    Task<void> answer_error(Error error);
    Task<void> break_answer(Error error);

    net::ClientRequest node_request(std::string target, std::string_view body) const;
    std::string_view reason_of(net::UpstreamFailure failure) const;
    Error error_of(net::UpstreamFailure failure) const;
    AttemptEvent failed_place(net::UpstreamFailure failure);
    void note_failure(net::UpstreamFailure failure);
    void begin_wait_anew();
    void suspect_node();
    void end_upstream();
    void client_left();
    void tell_answer();

    GatewayContext& context_;
    const GatewayConfig config_;
    EdgeState& edge_;
    Caller& caller_;
    placement::PlacementRequest request_;
    admission::Priority priority_;
    AttemptFsm fsm_;
    std::optional<SlotClaim> claim_;
    std::optional<DispatchLoop::Wait> waiting_;
    std::optional<Instant> waited_since_;  // of the last grant, until a place takes the request
    std::optional<Bid::Awaited> awaited_;
    bool admitted_ = false;  // has had a slot
    bool started_ = false;   // a place took it
    Instant claimed_at_{};   // the present slot
    std::unique_ptr<net::ClientExchange> upstream_;
    std::optional<EdgeState::Visit> visit_;  // while upstream_ is with a node
    bool node_silent_ = false;               // that node went Offline meanwhile
    AnswerMeter meter_;                      // of the answer so far
    std::optional<AnswerRelay> relay_;
    bool answering_ = false;  // an engine's answer has come, or its beginning
    bool head_sent_ = false;  // of an event stream, to the caller

    // Of a stream that may have to go on elsewhere, and of one that does.
    std::optional<AnswerRecord> record_;
    std::optional<engine::ResumeRequest> resume_;
    std::optional<engine::ChunkWriter> writer_;
    std::optional<ContinuationFsm> dialog_;
    std::optional<ContinuedStream> continued_;

    Instant arrived_;                // or began to wait in the queue, if that was before
    placement::Decision rejection_;  // its per-pool reasons go into the error's details
};

}  // namespace orch::control::gateway
