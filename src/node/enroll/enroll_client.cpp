#include "node/enroll/enroll_client.hpp"

#include "api/error_body.hpp"
#include "net/local_address.hpp"

#include <fmt/format.h>

#include <utility>
#include <variant>

namespace orch::node::enroll {
namespace {

constexpr Duration kFaultPeriod = std::chrono::seconds(60);
constexpr Duration kAnswerPoll = std::chrono::milliseconds(20);

bool is_wildcard(const std::string& host) {
    return host == "0.0.0.0" || host == "::";
}

Duration from_ms(std::uint64_t ms) {
    return std::chrono::milliseconds(ms);
}

// What went wrong, for people.
std::string reason_of(const net::CallResult& answer) {
    if (answer.failure != net::UpstreamFailure::none) {
        return answer.failure_text;
    }
    const auto body = api::parse_error_body(answer.body);
    return body ? body->message : fmt::format("status {}", answer.status);
}

RegisterOutcome register_outcome(const net::CallResult& answer) {
    if (answer.failure != net::UpstreamFailure::none) {
        return RegisterOutcome::unreachable;
    }
    if (answer.status == 200) {
        return RegisterOutcome::accepted;
    }
    return answer.status == 409 ? RegisterOutcome::conflict : RegisterOutcome::refused;
}

HeartbeatOutcome heartbeat_outcome(const net::CallResult& answer) {
    if (answer.failure != net::UpstreamFailure::none) {
        return HeartbeatOutcome::unreachable;
    }
    if (answer.status == 200) {
        return HeartbeatOutcome::accepted;
    }
    return answer.status == 404 ? HeartbeatOutcome::unknown_node : HeartbeatOutcome::refused;
}

}  // namespace

EnrollClient::EnrollClient(EnrollTarget target, EnrollConfig config, Parts parts, Logger log)
    : target_(std::move(target)),
      parts_(parts),
      call_limit_(config.call_limit),
      log_(log),
      faults_(std::move(log), parts.clock, kFaultPeriod),
      fsm_(config, parts.sequence, parts.rng) {}

void EnrollClient::start() {
    take(enroll_event::Start{});
}

void EnrollClient::readiness_changed() {
    take(enroll_event::ReadinessChanged{});
}

void EnrollClient::set_interval(Duration interval) {
    take(enroll_event::IntervalChanged{interval});
}

Task<void> EnrollClient::leave() {
    take(enroll_event::Leave{});
    const Instant limit = parts_.clock.now() + call_limit_;
    while (fsm_.status().state != EnrollState::left && parts_.clock.now() < limit) {
        if (!co_await parts_.clock.sleep_for(kAnswerPoll)) {
            co_return;
        }
    }
}

Task<void> EnrollClient::finish_telling() {
    const Instant limit = parts_.clock.now() + call_limit_;
    while (fsm_.has_news() && parts_.clock.now() < limit) {
        if (!co_await parts_.clock.sleep_for(kAnswerPoll)) {
            co_return;
        }
    }
}

void EnrollClient::take(const EnrollEvent& event) {
    const EnrollState before = fsm_.status().state;
    const EnrollActions actions = fsm_.resume(event, parts_.clock.now());
    tell_change(before);
    for (const EnrollAction& action : actions) {
        std::visit([this](const auto& what) { perform(what); }, action);
    }
}

void EnrollClient::tell_change(EnrollState before) {
    const EnrollStatus& status = fsm_.status();
    const std::string control_plane = to_string(target_.control_plane);
    if (!status.last_error.empty()) {
        faults_.warn(
            status.last_error,
            "the control plane does not take this node in",
            {{"control_plane", control_plane}, {"reason", status.last_error}}
        );
    }
    if (status.state != before) {
        log_.info(
            "enrolment changed",
            {{"control_plane", control_plane},
             {"state", to_string(status.state)},
             {"address", advertised_}}
        );
    }
}

void EnrollClient::perform(const enroll_action::SendRegister&) {
    parts_.tasks.spawn(send_register());
}

void EnrollClient::perform(const enroll_action::SendHeartbeat& action) {
    parts_.tasks.spawn(send_heartbeat(action.seq, action.limit));
}

void EnrollClient::perform(const enroll_action::SendDeregister&) {
    parts_.tasks.spawn(send_deregister());
}

void EnrollClient::perform(const enroll_action::WaitUntil& action) {
    parts_.tasks.spawn(wake_at(action.at, ++wake_ticket_));
}

Task<void> EnrollClient::wake_at(Instant at, std::uint64_t ticket) {
    if (co_await parts_.clock.sleep_until(at) && ticket == wake_ticket_) {
        take(enroll_event::TimerExpired{});
    }
}

Task<net::CallResult> EnrollClient::call(
    net::Method method, std::string path, std::string body, Duration limit
) {
    net::ClientRequest request;
    request.method = method;
    request.to = target_.control_plane;
    request.tls = target_.control_plane_tls;
    request.target = std::move(path);
    request.body = body;
    request.headers.add("Content-Type", "application/json");
    if (const std::string token = target_.token.text(); !token.empty()) {
        request.headers.add("Authorization", "Bearer " + token);
    }
    co_return co_await net::http_call(parts_.clients, std::move(request), limit);
}

// The base URL to advertise, empty when no way leads to the control plane: the address that the
// control plane sees this node come from is one at which it can be reached, unless the node listens
// at one address only.
Task<std::string> EnrollClient::find_address() {
    if (!target_.advertised.empty()) {
        co_return target_.advertised;
    }
    HostPort reachable = target_.bound;
    if (is_wildcard(reachable.host)) {
        const auto local = co_await net::local_address_towards(target_.control_plane);
        if (!local) {
            co_return std::string();
        }
        reachable.host = *local;
    }
    co_return (target_.bound_tls ? "https://" : "http://") + to_string(reachable);
}

Task<void> EnrollClient::send_register() {
    std::string address = co_await find_address();
    if (address.empty()) {
        const std::string why = "no address leads to " + to_string(target_.control_plane);
        parts_.probe.registered(RegisterOutcome::unreachable);
        take(enroll_event::RegisterAnswered{RegisterOutcome::unreachable, {}, why});
        co_return;
    }
    advertised_ = address;
    std::string body = api::to_json(parts_.source.registration(advertised_));
    const net::CallResult answer =
        co_await call(net::Method::post, "/v2/nodes/register", std::move(body), call_limit_);
    enroll_event::RegisterAnswered event{register_outcome(answer), {}, {}};
    if (event.outcome == RegisterOutcome::accepted) {
        accepted_address_ = std::move(address);
        const auto response = api::from_json<api::RegisterResponse>(answer.body);
        event.next_heartbeat = from_ms(response ? response->next_heartbeat_ms.value_or(0) : 0);
    } else {
        event.message = reason_of(answer);
    }
    parts_.probe.registered(event.outcome);
    take(event);
}

Task<void> EnrollClient::send_heartbeat(std::uint64_t seq, Duration limit) {
    const std::string address = co_await find_address();
    if (!address.empty() && address != accepted_address_) {
        const std::string why = "this host moved to " + address;
        take(enroll_event::HeartbeatAnswered{HeartbeatOutcome::moved, {}, why});
        co_return;
    }
    const NodeId node = parts_.source.registration({}).node_id;
    std::string body = api::to_json(parts_.source.heartbeat(seq));
    const net::CallResult answer = co_await call(
        net::Method::post, fmt::format("/v2/nodes/{}/heartbeat", node.str()), std::move(body), limit
    );
    enroll_event::HeartbeatAnswered event{heartbeat_outcome(answer), {}, {}};
    if (event.outcome == HeartbeatOutcome::accepted) {
        const auto response = api::from_json<api::HeartbeatResponse>(answer.body);
        event.next_heartbeat = from_ms(response ? response->next_heartbeat_ms : 0);
    } else {
        event.message = reason_of(answer);
    }
    parts_.probe.beat(event.outcome);
    take(event);
}

Task<void> EnrollClient::send_deregister() {
    const NodeId node = parts_.source.registration({}).node_id;
    co_await call(net::Method::del, fmt::format("/v2/nodes/{}", node.str()), {}, call_limit_);
    take(enroll_event::DeregisterAnswered{});
}

}  // namespace orch::node::enroll
