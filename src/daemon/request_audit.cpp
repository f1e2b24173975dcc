#include "daemon/request_audit.hpp"

#include "net/route_table.hpp"

#include <string_view>
#include <utility>

namespace orch::daemon {
namespace {

bool is_refusal(int status) {
    return status == 401 || status == 403;
}

std::string event_name(const net::Exchange& exchange) {
    const std::string_view path = exchange.route()->path;
    if (path == "/v2/nodes/register") {
        return "node_registered";
    }
    const bool leaves = path == "/v2/nodes/{id}" && exchange.head().method == net::Method::del;
    return leaves ? "node_deregistered" : "admin_action";
}

bool is_change(const net::Exchange& exchange) {
    if (exchange.route() == nullptr || exchange.route()->auth != auth::AuthClass::cluster) {
        return false;
    }
    const net::Method method = exchange.head().method;
    const bool reads =
        method == net::Method::get || method == net::Method::head || method == net::Method::options;
    return !reads && exchange.route()->path != "/v2/nodes/{id}/heartbeat";
}

audit::Event make_event(const net::Exchange& exchange, std::string name) {
    audit::Event event{
        std::move(name),
        exchange.identity().empty() ? "anonymous" : exchange.identity(),
        exchange.correlation().str(),
        exchange.status() < 400 ? "success" : "refused",
        {},
    };
    event.details["method"] = to_string(exchange.head().method);
    event.details["status"] = std::to_string(exchange.status());
    event.details["remote_addr"] = exchange.remote_address();
    // A path that no route has is the caller's text, whatever it is: it is left out.
    if (exchange.route() != nullptr) {
        event.details["path"] = exchange.route()->path;
        for (const auto& [param, value] : exchange.params()) {
            event.details[param] = value;
        }
    }
    for (const auto& [note, value] : exchange.notes()) {
        event.details[note] = value;
    }
    return event;
}

}  // namespace

void RequestAudit::observe(const net::Exchange& exchange) {
    if (is_refusal(exchange.status())) {
        audit::Event event = make_event(exchange, "auth_failed");
        if (admit_refusal(event)) {
            log_.write(std::move(event));
        }
    } else if (is_change(exchange)) {
        log_.write(make_event(exchange, event_name(exchange)));
    }
}

bool RequestAudit::admit_refusal(audit::Event& event) {
    const std::lock_guard lock(mutex_);
    const Instant now = clock_.now();
    if (now - window_ >= std::chrono::minutes(1)) {
        window_ = now;
        refusals_ = 0;
    }
    if (++refusals_ > kRefusalsPerMinute) {
        ++left_out_;
        return false;
    }
    if (left_out_ != 0) {
        event.details["left_out_before"] = std::to_string(std::exchange(left_out_, 0));
    }
    return true;
}

}  // namespace orch::daemon
