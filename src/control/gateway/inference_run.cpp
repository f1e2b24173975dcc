#include "control/gateway/inference_run.hpp"

#include "api/error_body.hpp"
#include "control/gateway/decision_log.hpp"
#include "control/gateway/request_headers.hpp"
#include "control/placement/feasibility.hpp"
#include "net/correlation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace orch::control::gateway {
namespace {

using Event = AttemptEvent::Kind;
using Action = AttemptAction::Kind;
using net::UpstreamFailure;

bool is_late(UpstreamFailure failure) {
    return failure == UpstreamFailure::first_byte_timeout ||
           failure == UpstreamFailure::idle_timeout;
}

std::string_view name_of(SecondTry kind) {
    return kind == SecondTry::retry ? "retry" : "continuation";
}

// Whether the failure says something about the node and not about this request alone.
bool blames_node(UpstreamFailure failure) {
    return failure != UpstreamFailure::cancelled && !is_late(failure);
}

// The node took the connection, and then something went wrong: what suspicion and probes of the
// node do not see.
bool connected(UpstreamFailure failure) {
    return is_late(failure) || failure == UpstreamFailure::reset_before_head ||
           failure == UpstreamFailure::malformed || failure == UpstreamFailure::reset_mid_body;
}

}  // namespace

InferenceRun::InferenceRun(
    GatewayContext& context,
    EdgeState& edge,
    Caller& caller,
    placement::PlacementRequest request,
    admission::Priority priority
)
    : context_(context),
      config_(*context.config.load()),
      edge_(edge),
      caller_(caller),
      request_(std::move(request)),
      priority_(priority),
      fsm_(limits(), [this](SecondTry kind) { return may_try(kind); }),
      arrived_(edge.edge().clock().now()) {
    edge_.retries().began();
}

InferenceRun::~InferenceRun() {
    edge_.retries().ended(edge_.edge().clock().now());
}

AttemptLimits InferenceRun::limits() const {
    const bool pinned = request_.pin_node || request_.pin_pool;
    return {
        .retries = config_.retry_attempts,
        .replayable = caller_.body().size() <= config_.replay_limit,
        .pinned = pinned && !request_.fallback,
    };
}

Task<void> InferenceRun::run() {
    return run_from({.kind = Event::start});
}

Task<void> InferenceRun::run_granted(Grant grant) {
    return run_from(take(grant));
}

Task<void> InferenceRun::run_from(AttemptEvent event) {
    caller_.on_gone([this] { client_left(); });
    if (caller_.gone()) {
        event = {.kind = Event::client_gone};
    }
    for (;;) {
        AttemptAction action = fsm_.resume(std::move(event));
        if (action.kind == Action::finish) {
            break;
        }
        event = co_await perform(std::move(action));
        if (caller_.gone()) {
            event = {.kind = Event::client_gone};
        }
    }
    caller_.on_gone(nullptr);
    if (caller_.gone()) {
        edge_.probe().canceled(started_ ? &claim_->pool() : nullptr, "client");
    }
    RunSummary summary;
    summary.attempts = fsm_.attempts();
    if (claim_) {
        summary.place = claim_->pool().key;
        summary.machine = claim_->node().machine_id;
    }
    if (answering_) {
        summary.tokens = meter_.tokens();
        tell_answer();
    }
    caller_.closed(summary);
}

void InferenceRun::tell_answer() {
    context_.answers.answered(
        edge_.edge().index(),
        claim_->pool(),
        upstream_->head().headers.find("X-Llorch-Replica").value_or(""),
        to_string(priority_),
        meter_,
        arrived_
    );
}

Task<AttemptEvent> InferenceRun::perform(AttemptAction action) {
    switch (action.kind) {
        case Action::place:
            co_return place();
        case Action::wait:
            co_return co_await wait();
        case Action::send:
            co_return co_await send();
        case Action::relay:
            co_return co_await relay(true);
        case Action::answer_error: {
            co_await answer_error(std::move(action.error));
            break;
        }
        case Action::break_answer: {
            co_await break_answer(std::move(action.error));
            break;
        }
        case Action::finish:
            break;
    }
    co_return AttemptEvent{.kind = Event::answer_complete};
}

AttemptEvent InferenceRun::place() {
    request_.exclude = fsm_.refused();
    request_.failed = fsm_.failed();
    const bool told = context_.log.at(LogLevel::debug);
    const placement::Decision explained = told ? edge_.explain(request_) : placement::Decision{};
    EdgeState::Choice choice = edge_.choose(request_);
    if (told) {
        const std::string trace(net::trace_id_of(caller_.traceparent()));
        log_decision(
            context_.log.for_request(caller_.correlation(), trace), request_, choice, explained
        );
    }
    if (choice.claim) {
        claim_ = std::move(choice.claim);
        claimed_at_ = edge_.edge().clock().now();
        if (!std::exchange(admitted_, true)) {
            edge_.probe().enqueued(
                edge_.view()->queue_name(request_.model.value_or("")), priority_
            );
        }
        return {.kind = Event::placed, .pool = claim_->pool().key, .life = claim_->pool().life};
    }
    // Who has had a place waits for its next life as long as the queue allows.
    if (choice.awaited_until && fsm_.failed().empty()) {
        awaited_ = {*choice.awaited_until, *choice.rejection};
        return {.kind = Event::no_slot};
    }
    if (choice.rejection) {
        Error error = *choice.rejection;
        rejection_ = edge_.explain(request_);
        return {.kind = Event::rejected, .error = std::move(error)};
    }
    return {.kind = choice.all_excluded ? Event::all_excluded : Event::no_slot};
}

Task<AttemptEvent> InferenceRun::wait() {
    const Executor here = edge_.edge().loop().executor();
    request_.exclude.clear();
    request_.failed = fsm_.failed();
    Bid bid{request_, fsm_.refused(), waited_since_, priority_, admitted_};
    bid.awaited = std::exchange(awaited_, std::nullopt);
    bid.failed_for = config_.failed_for;
    waiting_.emplace(context_.dispatch.park(here, std::move(bid)));
    Result<Grant> grant = co_await waiting_->grant.wait_to_end();
    waiting_.reset();
    if (!grant) {
        if (grant.error().code != Errc::cancelled) {
            edge_.placements().no_capacity(request_);
        }
        if (grant.error().code == Errc::model_not_available) {
            rejection_ = edge_.explain(request_);
        }
        co_return AttemptEvent{.kind = Event::queue_failed, .error = std::move(grant.error())};
    }
    co_return take(*grant);
}

AttemptEvent InferenceRun::take(const Grant& grant) {
    admitted_ = true;
    waited_since_ = grant.since;
    arrived_ = std::min(arrived_, grant.since);
    const placement::Verdict verdict = placement::judge(*grant.node, *grant.pool, request_);
    edge_.placements().assigned(request_, grant.node->id, !verdict.wanted());
    claimed_at_ = edge_.edge().clock().now();
    claim_.emplace(context_.dispatch, grant.view, *grant.node, *grant.pool);
    return {.kind = Event::granted, .pool = claim_->pool().key, .life = claim_->pool().life};
}

net::ClientRequest InferenceRun::node_request(std::string target, std::string_view body) const {
    const view::NodeBlock& node = claim_->node();
    return {
        .method = net::Method::post,
        .to = HostPort{node.endpoint.host, node.endpoint.port},
        .tls = node.endpoint.tls,
        .target = fmt::format("/v2/pools/{}/engine{}", claim_->pool().key.pool.str(), target),
        .headers = caller_.headers_for_node(context_.token.text()),
        .body = body,
        .connect_limit = config_.connect_limit,
        .first_byte_limit = config_.first_byte_limit,
    };
}

bool InferenceRun::may_try(SecondTry kind) {
    const bool allowed = edge_.retries().spend(config_.retry_budget, edge_.edge().clock().now());
    edge_.probe().second_try(name_of(kind), allowed ? "tried" : "over_budget");
    return allowed;
}

Task<UpstreamFailure> InferenceRun::ask_node(std::string target, std::string_view body) {
    relay_.reset();
    upstream_ = std::make_unique<net::ClientExchange>(edge_.edge().clients());
    node_silent_ = false;
    visit_.emplace(edge_, claim_->node().id, [this] {
        node_silent_ = true;
        upstream_->shorten_wait(config_.node_timeout);
    });
    net::ClientRequest request = node_request(std::move(target), body);
    co_return co_await upstream_->send(std::move(request));
}

Task<AttemptEvent> InferenceRun::send() {
    if (resume_) {
        co_return co_await send_rest();
    }
    std::string target(caller_.target());
    const std::string_view body = caller_.body();
    const UpstreamFailure failure = co_await ask_node(std::move(target), body);
    if (failure != UpstreamFailure::none) {
        co_return failed_place(failure);
    }
    if (upstream_->head().headers.find("X-Llorch-Origin") == "node") {
        co_return co_await judge_node_answer();
    }
    if (!std::exchange(started_, true)) {
        edge_.probe().started(claim_->pool(), priority_, claimed_at_ - arrived_);
    }
    edge_.probe().dispatched(claim_->pool().key, true);
    caller_.served_by(claim_->pool().key, fsm_.attempts() + 1);
    meter_ = {};
    record_ = new_record();
    open_relay(nullptr);
    co_return co_await relay(false);
}

// Only what llama-server streams can be continued, and only if the request is at hand.
std::optional<AnswerRecord> InferenceRun::new_record() const {
    const auto shape = engine::stream_shape(caller_.target());
    const bool at_hand = caller_.body().size() <= config_.replay_limit;
    if (!shape || !at_hand || claim_->pool().engine != EngineFamily::llamacpp) {
        return std::nullopt;
    }
    return AnswerRecord(*shape, config_.continued_text);
}

void InferenceRun::open_relay(ContinuedStream* continued) {
    answering_ = true;
    relay_.emplace(
        *upstream_,
        caller_,
        config_,
        headers_for_client(upstream_->head().headers),
        [this] { end_upstream(); },
        meter_,
        edge_.edge().clock(),
        AnswerRelay::Part{record_ ? &*record_ : nullptr, continued, head_sent_}
    );
}

// The node itself answered: it has no slot, its engine died, or it does not accept the call.
Task<AttemptEvent> InferenceRun::judge_node_answer() {
    std::string body;
    net::BodyPiece piece = co_await upstream_->read(config_.idle_limit);
    while (piece.state == net::BodyPiece::State::data && body.size() < config_.held_answer) {
        body += piece.bytes;
        piece = co_await upstream_->read(config_.idle_limit);
    }
    const PoolKey pool = claim_->pool().key;
    LoadCell& cell = *claim_->pool().cell;
    claim_->release();
    const auto said = api::parse_error_body(body);
    const Errc code = said ? said->errc().value_or(Errc::worker_reset) : Errc::worker_reset;
    switch (code) {
        case Errc::replica_exhausted:
        case Errc::pool_unready:
        case Errc::pool_unavailable:
        case Errc::not_found:
            co_return AttemptEvent{.kind = Event::lease_refused};
        default:
            break;
    }
    cell.note_failure(edge_.edge().clock().now());
    edge_.probe().dispatched(pool, false);
    context_.log.warn(
        "a node did not serve a request",
        {{"node_id", pool.node},
         {"machine_id", claim_->node().machine_id},
         {"pool", pool.pool},
         {"code", wire_name(code)},
         {"reason", said ? said->message : "unknown"},
         {"correlation_id", caller_.correlation()},
         {"trace_id", net::trace_id_of(caller_.traceparent())}}
    );
    begin_wait_anew();
    const Errc shown = code == Errc::decode_timeout ? code : Errc::worker_reset;
    Error error{shown, fmt::format("node {}: {}", pool.node.str(), said ? said->message : ""), {}};
    co_return AttemptEvent{.kind = Event::place_failed, .error = std::move(error)};
}

Task<AttemptEvent> InferenceRun::relay(bool rest) {
    if (rest) {
        const AnswerRelay::Step step = co_await relay_->rest();
        co_return after(step, true);
    }
    const AnswerRelay::Step step = co_await relay_->begin();
    co_return after(step, false);
}

AttemptEvent InferenceRun::after(const AnswerRelay::Step& step, bool begun) {
    switch (step.state) {
        case AnswerRelay::State::begun:
            head_sent_ = relay_->is_event_stream();
            return {.kind = Event::answer_begun};
        case AnswerRelay::State::complete:
            return {.kind = Event::answer_complete};
        case AnswerRelay::State::client_gone:
            return {.kind = Event::client_gone};
        case AnswerRelay::State::failed:
            break;
    }
    return begun ? broken(step.failure) : failed_place(step.failure);
}

AttemptEvent InferenceRun::broken(UpstreamFailure failure) {
    Error error = error_of(failure);
    note_failure(failure);
    claim_->release();
    begin_wait_anew();
    if (failure == UpstreamFailure::cancelled) {
        return {.kind = Event::answer_broken, .error = std::move(error)};
    }
    const bool resumable = head_sent_ && prepare_continuation();
    if (!resumable) {
        edge_.probe().second_try(name_of(SecondTry::continuation), "impossible");
    }
    context_.log.warn(
        "an answer broke",
        {{"node_id", claim_->pool().key.node},
         {"machine_id", claim_->node().machine_id},
         {"pool", claim_->pool().key.pool},
         {"reason", reason_of(failure)},
         {"can_go_on", resumable},
         {"correlation_id", caller_.correlation()},
         {"trace_id", net::trace_id_of(caller_.traceparent())}}
    );
    return {.kind = Event::answer_broken, .error = std::move(error), .resumable = resumable};
}

// The time limit of a node that is Offline is its death, not the engine's slowness.
std::string_view InferenceRun::reason_of(UpstreamFailure failure) const {
    return node_silent_ && is_late(failure) ? "silent since before its deadline"
                                            : to_string(failure);
}

Error InferenceRun::error_of(UpstreamFailure failure) const {
    const Errc code = is_late(failure) && !node_silent_ ? Errc::decode_timeout : Errc::worker_reset;
    const PoolKey& pool = claim_->pool().key;
    return {code, fmt::format("node {}: {}", pool.node.str(), reason_of(failure)), {}};
}

AttemptEvent InferenceRun::failed_place(UpstreamFailure failure) {
    const PoolKey pool = claim_->pool().key;
    Error error = error_of(failure);
    if (blames_node(failure)) {
        suspect_node();
    }
    note_failure(failure);
    claim_->release();
    begin_wait_anew();
    if (failure == UpstreamFailure::cancelled) {
        return {.kind = Event::place_failed, .error = std::move(error)};
    }
    edge_.probe().dispatched(pool, false);
    context_.log.warn(
        "a place failed",
        {{"node_id", pool.node},
         {"machine_id", claim_->node().machine_id},
         {"pool", pool.pool},
         {"reason", reason_of(failure)},
         {"correlation_id", caller_.correlation()},
         {"trace_id", net::trace_id_of(caller_.traceparent())}}
    );
    return {.kind = Event::place_failed, .error = std::move(error)};
}

void InferenceRun::note_failure(UpstreamFailure failure) {
    if (connected(failure)) {
        claim_->pool().cell->note_failure(edge_.edge().clock().now());
    }
}

// Who waits for the rest of an answer is not turned away by a full queue.
void InferenceRun::begin_wait_anew() {
    waited_since_.reset();
    if (head_sent_) {
        waited_since_ = edge_.edge().clock().now();
    }
}

void InferenceRun::suspect_node() {
    const Instant now = edge_.edge().clock().now();
    const Instant until = now + config_.suspicion;
    const bool is_news = !claim_->pool().cell->suspect(now);
    for (const view::PoolBlock& pool : claim_->node().pools) {
        pool.cell->suspect_until(until);
    }
    // Behind that: the node may answer at once, which ends the suspicion.
    if (context_.on_refused && is_news) {
        context_.on_refused(claim_->node().id);
    }
}

Task<void> InferenceRun::answer_error(Error error) {
    api::ErrorDetails details;
    if (!rejection_.considered.empty()) {
        std::vector<api::PlaceReasons>& places = details.candidates.emplace();
        for (placement::Considered& place : rejection_.considered) {
            places.push_back({place.key.node, place.key.pool, std::move(place.reasons)});
        }
    }
    if (fsm_.attempts() == 0 && !caller_.gone()) {
        edge_.probe().rejected(error.code);
    }
    co_await caller_.refuse(std::move(error), std::move(details));
}

Task<void> InferenceRun::break_answer(Error error) {
    co_await caller_.break_off(std::move(error), head_sent_);
}

void InferenceRun::end_upstream() {
    claim_->pool().cell->note_service(edge_.edge().clock().now() - claimed_at_);
    claim_->pool().cell->note_success();
    claim_->release();
}

void InferenceRun::client_left() {
    if (upstream_) {
        upstream_->close();
    }
    if (waiting_) {
        context_.dispatch.cancel(*waiting_);
    }
}

}  // namespace orch::control::gateway
