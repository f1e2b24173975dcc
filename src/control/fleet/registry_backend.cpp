#include "control/fleet/registry_backend.hpp"

#include <algorithm>
#include <utility>

namespace orch::control::fleet {
namespace {

constexpr Duration kFirstRetry = std::chrono::milliseconds(500);

}  // namespace

RegistryBackend::RegistryBackend(
    registry::RegistryConfig config, Parts parts, OnView on_view, Logger log
)
    : parts_(parts),
      heartbeat_interval_(config.heartbeat_interval),
      table_(config, parts.clock.now()),
      on_view_(std::move(on_view)),
      log_(std::move(log)),
      expiry_(parts.clock, parts.tasks.executor()) {}

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

Result<api::NodeInfo> RegistryBackend::set_cordoned(const NodeId& node, bool cordoned) {
    auto outcome = table_.set_cordoned(node, cordoned);
    settle();
    if (!outcome) {
        return std::unexpected(outcome.error());
    }
    return table_.get(node, parts_.clock.now());
}

void RegistryBackend::restore_cordons(const std::vector<NodeId>& nodes) {
    table_.restore_cordons(nodes);
}

Result<api::NodeInfo> RegistryBackend::approve(const NodeId& node) {
    auto outcome = table_.approve(node);
    settle();
    if (!outcome) {
        return std::unexpected(outcome.error());
    }
    return table_.get(node, parts_.clock.now());
}

void RegistryBackend::restore_approvals(const std::vector<NodeId>& nodes) {
    table_.restore_approvals(nodes);
}

Result<void> RegistryBackend::polled(
    const api::NodeStatusBody& body, registry::PollOrigin origin, const view::Endpoint& reached_at
) {
    auto outcome = table_.polled(body, origin, reached_at, stamp());
    settle();
    if (!outcome) {
        return std::unexpected(outcome.error());
    }
    return {};
}

void RegistryBackend::pool_answered(const PoolKey& key, const api::PoolStatus& status) {
    table_.pool_answered(key, status, parts_.clock.now());
    settle();
}

void RegistryBackend::address_answered(const NodeId& node, const view::Endpoint& asked) {
    table_.set_reachability(node, asked, true, "");
    table_.clear_suspicion(node);
    settle();
}

void RegistryBackend::address_failed(
    const NodeId& node, const view::Endpoint& asked, const std::string& reason
) {
    table_.set_reachability(node, asked, false, reason);
    settle();
}

void RegistryBackend::address_silent(
    const NodeId& node, const view::Endpoint& asked, const std::string& reason
) {
    table_.address_silent(node, asked, reason);
    settle();
}

void RegistryBackend::expect_static(const NodeId& node, const view::Endpoint& endpoint) {
    table_.expect_static(node, endpoint, stamp());
    settle();
}

void RegistryBackend::release_static(const NodeId& node, const std::string& why) {
    table_.release_static(node, why, parts_.clock.now());
    settle();
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
        for (const OnChange& hear : on_change_) {
            hear(change);
        }
    }
    if (table_.next_deadline() && *table_.next_deadline() < expires_next_) {
        expiry_.ring();
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
    const view::ClusterViewPtr view = table_.view();
    parts_.probe.published(*view);
    on_view_(view);
    published_ = parts_.clock.now();  // what took long is not followed by the next at once
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
        expires_next_ = table_.next_deadline().value_or(Instant::max());
        if (!co_await expiry_.wait_until(expires_next_)) {
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
