#include "node/supervisor/engine_prober.hpp"

#include "net/http_call.hpp"
#include "node/supervisor/proc_reader.hpp"

#include <fmt/format.h>

#include <utility>

namespace orch::node::supervisor {
namespace {

using lifecycle::ProbeOutcome;

net::ClientRequest get(const HostPort& to, std::string_view path) {
    net::ClientRequest request;
    request.to = to;
    request.target = path;
    return request;
}

ProbeOutcome outcome_of(engine::ProbeVerdict verdict) {
    switch (verdict) {
        case engine::ProbeVerdict::ready:
            return ProbeOutcome::ok;
        case engine::ProbeVerdict::loading:
            return ProbeOutcome::loading;
        case engine::ProbeVerdict::other_model:
            return ProbeOutcome::wrong_child;
        case engine::ProbeVerdict::undecided:
        case engine::ProbeVerdict::failing:
            return ProbeOutcome::failing;
    }
    return ProbeOutcome::failing;
}

ProbeOutcome outcome_of(net::UpstreamFailure failure) {
    switch (failure) {
        case net::UpstreamFailure::refused:
        case net::UpstreamFailure::unresolved:
            return ProbeOutcome::refused;
        case net::UpstreamFailure::malformed:
            return ProbeOutcome::failing;
        default:
            return ProbeOutcome::no_answer;
    }
}

// Whether the answer came from the child; corrects it when it did not.
void check_owner(const ProbeQuestion& question, ProbeAnswer& answer) {
    switch (find_listener_owner(*question.child, question.to.port)) {
        case ListenerOwner::process:
        case ListenerOwner::unknown:
            return;
        case ListenerOwner::nobody:
            answer.outcome = ProbeOutcome::refused;
            return;
        case ListenerOwner::other: {
            // A child that is ending has closed its files already: its port proves nothing then.
            const auto process = load_process(*question.child);
            if (!process || process->state == 'Z' || process->state == 'X') {
                answer.outcome = ProbeOutcome::refused;
                return;
            }
            answer.outcome = ProbeOutcome::wrong_child;
            answer.detail = fmt::format(
                "port {} is listened on by another process than {} (a script that wraps the "
                "engine must exec it)",
                question.to.port,
                *question.child
            );
            return;
        }
    }
}

// Asks path after path until the verdict is final. True when anything was answered.
Task<bool> ask(
    net::ClientPool& clients, HostPort to, engine::ReadinessProbe& readiness, ProbeAnswer& answer
) {
    bool answered = false;
    while (const auto path = readiness.next_path()) {
        net::ClientRequest request = get(to, *path);
        const net::CallResult call =
            co_await net::http_call(clients, std::move(request), kProbeLimit);
        if (call.failure == net::UpstreamFailure::none) {
            answered = true;
            readiness.answered(call.status, call.body);
            answer.outcome = outcome_of(readiness.verdict());
            continue;
        }
        answer.cancelled = call.failure == net::UpstreamFailure::cancelled;
        readiness.unanswered(std::string(net::to_string(call.failure)));
        answer.outcome = outcome_of(call.failure);
    }
    answer.detail = readiness.reason();
    answer.props = readiness.props();
    co_return answered;
}

Task<std::optional<engine::LlamaSlots>> load_slots(net::ClientPool& clients, HostPort to) {
    net::ClientRequest request = get(to, "/slots");
    const net::CallResult call = co_await net::http_call(clients, std::move(request), kProbeLimit);
    if (call.failure != net::UpstreamFailure::none || call.status != 200) {
        co_return std::nullopt;
    }
    const auto slots = engine::parse_llama_slots(call.body);
    co_return slots ? std::optional(*slots) : std::nullopt;
}

}  // namespace

Task<ProbeAnswer> probe_engine(net::ClientPool& clients, ProbeQuestion question) {
    engine::ReadinessProbe readiness(question.target);
    ProbeAnswer answer;
    const bool answered = co_await ask(clients, question.to, readiness, answer);
    if (question.child) {
        answer.process = load_process(*question.child);
        answer.process_idle =
            !answered && answer.process && lifecycle::was_idle(question.before, *answer.process);
        if (answered) {
            check_owner(question, answer);
        }
    }
    if (question.count_slots && answer.outcome == ProbeOutcome::ok) {
        answer.slots = co_await load_slots(clients, question.to);
    }
    co_return answer;
}

}  // namespace orch::node::supervisor
