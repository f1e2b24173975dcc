#include "control/gateway/inference_run.hpp"
#include "net/correlation.hpp"

#include <fmt/format.h>

#include <utility>

namespace orch::control::gateway {
namespace {

using Event = AttemptEvent::Kind;
using net::UpstreamFailure;

// Tokens of a prompt of a mebibyte, with their text.
constexpr Bytes kMostOfAnAnswer = 64 * kMiB;

}  // namespace

// What the client has of the answer is the record; from here on the request asks for the same model
// under the name that does not depend on who serves it.
bool InferenceRun::prepare_continuation() {
    const view::PoolBlock& pool = claim_->pool();
    if (!record_ || pool.served_name.empty()) {
        return false;
    }
    if (!record_->untouched()) {
        if (!record_->can_go_on()) {
            return false;
        }
        if (!resume_) {
            auto request = engine::ResumeRequest::read(record_->shape(), caller_.body());
            auto writer = engine::ChunkWriter::make(record_->shape(), record_->first_event());
            if (!request || !writer) {
                context_.log.debug(
                    "an answer cannot be continued",
                    {{"reason", request ? writer.error().message : request.error().message},
                     {"correlation_id", caller_.correlation()}}
                );
                return false;
            }
            resume_ = std::move(*request);
            writer_ = std::move(*writer);
        }
    }
    request_.model = pool.served_name;
    request_.engine = EngineFamily::llamacpp;
    return true;
}

Task<AttemptEvent> InferenceRun::send_rest() {
    auto text = record_->text();
    if (!text) {
        Error error{Errc::worker_reset, "the answer cannot be continued: its text is no JSON", {}};
        co_return AttemptEvent{.kind = Event::answer_broken, .error = std::move(error)};
    }
    dialog_.emplace(*resume_, std::move(*text));
    while (dialog_->step() == ContinuationFsm::Step::ask) {
        auto ended = co_await ask_engine();
        if (ended) {
            co_return std::move(*ended);
        }
    }
    continued_.emplace(
        *writer_,
        ContinuedStream::Figures{
            dialog_->prompt_tokens(), dialog_->text_tokens(), resume_->include_usage()
        }
    );
    if (dialog_->step() == ContinuationFsm::Step::at_limit) {
        co_return co_await end_at_limit();
    }
    co_return co_await generate_rest();
}

// Nothing: the dialog goes on.
Task<std::optional<AttemptEvent>> InferenceRun::ask_engine() {
    std::string path(dialog_->path());
    const UpstreamFailure failure = co_await ask_node(std::move(path), dialog_->body());
    if (failure != UpstreamFailure::none) {
        co_return failed_place(failure);
    }
    if (upstream_->head().headers.find("X-Llorch-Origin") == "node") {
        co_return co_await judge_node_answer();
    }
    if (upstream_->head().status != 200) {
        co_return engine_refused(upstream_->head().status);
    }
    std::string answer;
    net::BodyPiece piece = co_await upstream_->read(config_.idle_limit);
    while (piece.state == net::BodyPiece::State::data && answer.size() < kMostOfAnAnswer) {
        answer += piece.bytes;
        piece = co_await upstream_->read(config_.idle_limit);
    }
    if (piece.state != net::BodyPiece::State::complete) {
        co_return failed_place(piece.failure);
    }
    auto accepted = dialog_->accept(answer);
    if (!accepted) {
        claim_->release();
        co_return AttemptEvent{.kind = Event::answer_broken, .error = std::move(accepted.error())};
    }
    co_return std::nullopt;
}

Task<AttemptEvent> InferenceRun::generate_rest() {
    std::string path(dialog_->path());
    const UpstreamFailure failure = co_await ask_node(std::move(path), dialog_->body());
    if (failure != UpstreamFailure::none) {
        co_return failed_place(failure);
    }
    if (upstream_->head().headers.find("X-Llorch-Origin") == "node") {
        co_return co_await judge_node_answer();
    }
    open_relay(&*continued_);
    if (!relay_->is_event_stream()) {
        co_return engine_refused(upstream_->head().status);
    }
    edge_.probe().dispatched(claim_->pool().key, true);
    context_.log.info(
        "an answer is continued",
        {{"node_id", claim_->pool().key.node},
         {"machine_id", claim_->node().machine_id},
         {"pool", claim_->pool().key.pool},
         {"tokens", dialog_->text_tokens()},
         {"correlation_id", caller_.correlation()},
         {"trace_id", net::trace_id_of(caller_.traceparent())}}
    );
    co_return co_await relay(false);
}

Task<AttemptEvent> InferenceRun::end_at_limit() {
    claim_->release();
    const std::string events = continued_->end_at_limit();
    meter_.total(continued_->usage());
    const bool sent = co_await caller_.write(events);
    const bool ended = sent && co_await caller_.end();
    co_return AttemptEvent{.kind = ended ? Event::answer_complete : Event::client_gone};
}

AttemptEvent InferenceRun::engine_refused(int status) {
    const PoolKey& pool = claim_->pool().key;
    edge_.probe().dispatched(pool, false);
    Error error{
        Errc::worker_reset,
        fmt::format(
            "node {}: the engine answered {} to {}", pool.node.str(), status, dialog_->path()
        ),
        {}
    };
    claim_->release();
    return {.kind = Event::place_failed, .error = std::move(error)};
}

}  // namespace orch::control::gateway
