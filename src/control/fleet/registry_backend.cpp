#include "control/fleet/registry_backend.hpp"

#include <algorithm>
#include <utility>

namespace orch::control::fleet {
namespace {

// New deadlines lie at least this far ahead: no setting allows a shorter node timeout.
constexpr Duration kLongestNap = std::chrono::milliseconds(250);

constexpr Duration kFirstRetry = std::chrono::milliseconds(500);

}  // namespace

RegistryBackend::RegistryBackend(
    registry::RegistryConfig config, Parts parts, OnView on_view, Logger log
)
    : parts_(parts),
      heartbeat_interval_(config.heartbeat_interval),
      table_(config, parts.clock.now()),
      on_view_(std::move(on_view)),
      log_(std::move(log)) {}

void RegistryBackend::start() {
    publish();
    parts_.tasks.spawn(expire_loop());
}

Result<api::RegisterResponse> RegistryBackend::register_node(const api::RegisterRequest& message) {
    auto outcome = table_.register_node(message, stamp());
    parts_.probe.registered(outcome.has_value());
    settle();
    if (!outcome) {
        log_.warn(
            "a registration was refused",
            {{"node_id", message.node_id},
             {"machine_id", message.machine_id},
             {"reason", outcome.error().message}}
        );
        return std::unexpected(outcome.error());
    }
    registrations_[message.node_id] = outcome->registration;
    parts_.tasks.spawn(reach(message.node_id, *outcome));
    return outcome->response;
}

Result<api::HeartbeatResponse> RegistryBackend::heartbeat(
    const NodeId& node, const api::HeartbeatRequest& message
) {
    auto outcome = table_.heartbeat(node, message, stamp());
    const bool known = outcome.has_value();
    const char* const what = !known ? "unknown_node" : outcome->stale ? "stale" : "success";
    parts_.probe.heartbeat(node, known, what);
    settle();
    if (!outcome) {
        return std::unexpected(outcome.error());
    }
    return outcome->response;
}

void RegistryBackend::refused_heartbeat(const NodeId& node, std::string_view outcome) {
    const bool known = table_.get(node, parts_.clock.now()).has_value();
    parts_.probe.heartbeat(node, known, outcome);
}

Result<void> RegistryBackend::deregister(const NodeId& node) {
    auto outcome = table_.deregister(node);
    parts_.probe.deregistered(outcome.has_value());
    settle();
    return outcome;
}

void RegistryBackend::set_config(const registry::RegistryConfig& config) {
    heartbeat_interval_ = config.heartbeat_interval;
    table_.set_config(config);
    settle();
}

// After every event: tell what changed, then let the edges know.
void RegistryBackend::settle() {
    for (const registry::NodeChange& change : table_.take_changes()) {
        log_change(change);
        parts_.probe.changed(change);
        if (change.kind == registry::NodeChange::Kind::removed) {
            registrations_.erase(change.node);
        }
    }
    switch (table_.urgency()) {
        case registry::Urgency::none:
            break;
        case registry::Urgency::at_once:
            publish();
            break;
        case registry::Urgency::soon:
            publish_soon();
            break;
    }
}

void RegistryBackend::log_change(const registry::NodeChange& change) {
    using Kind = registry::NodeChange::Kind;
    const bool bad = change.kind == Kind::offline || change.kind == Kind::failed ||
                     change.kind == Kind::unreachable || change.kind == Kind::pool_unready;
    const LogField fields[] = {
        {"change", registry::to_string(change.kind)},
        {"node_id", change.node},
        {"machine_id", change.machine},
        {"pool", change.pool},
        {"detail", change.detail},
    };
    log_.write(bad ? LogLevel::warn : LogLevel::info, "the cluster changed", fields);
}

const registry::NodeTable& RegistryBackend::table() {
    if (table_.urgency() != registry::Urgency::none) {
        publish();
    }
    return table_;
}

void RegistryBackend::publish() {
    published_ = parts_.clock.now();
    const view::ClusterViewPtr view = table_.view();
    parts_.probe.published(*view);
    on_view_(view);
}

// The first change goes out at once, those that follow within kPublishWithin go together.
void RegistryBackend::publish_soon() {
    const Instant due = published_ + kPublishWithin;
    if (parts_.clock.now() >= due) {
        publish();
    } else if (!publishing_later_) {
        publishing_later_ = true;
        parts_.tasks.spawn(publish_at(due));
    }
}

Task<void> RegistryBackend::publish_at(Instant due) {
    co_await parts_.clock.sleep_until(due);
    publishing_later_ = false;
    if (table_.urgency() != registry::Urgency::none) {
        publish();
    }
}

Task<void> RegistryBackend::expire_loop() {
    for (;;) {
        const Instant nap = parts_.clock.now() + kLongestNap;
        const Instant next = std::min(nap, table_.next_deadline().value_or(nap));
        if (!co_await parts_.clock.sleep_until(next)) {
            co_return;
        }
        table_.expire(parts_.clock.now());
        settle();
    }
}

// Until the node answers at its address, or registers again, or is gone.
Task<void> RegistryBackend::reach(NodeId node, registry::RegisterOutcome outcome) {
    Duration pause = kFirstRetry;
    for (;;) {
        const Reachability result = co_await parts_.reachability.check(node, outcome.endpoint);
        if (parts_.tasks.cancelled()) {
            co_return;
        }
        const auto latest = registrations_.find(node);
        if (latest == registrations_.end() || latest->second != outcome.registration) {
            co_return;
        }
        table_.set_reachability(node, outcome.registration, result.reachable, result.reason);
        settle();
        if (result.reachable || !co_await parts_.clock.sleep_for(pause)) {
            co_return;
        }
        pause = std::min(pause * 2, heartbeat_interval_);
    }
}

}  // namespace orch::control::fleet
