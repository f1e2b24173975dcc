#include "control/fleet/node_poller.hpp"

#include "control/fleet/reachability.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace orch::control::fleet {
namespace {

using Outcome = StatusAnswer::Outcome;
using Kind = registry::NodeChange::Kind;

std::string_view to_string(Outcome outcome) {
    switch (outcome) {
        case Outcome::success:
            return "success";
        case Outcome::timeout:
            return "timeout";
        case Outcome::error:
            break;
    }
    return "error";
}

PollKey key_of(const NodeId& node) {
    return {false, node.str()};
}

api::PoolReport report_of(const api::PoolStatus& status) {
    api::PoolReport report;
    report.pool_id = status.pool_id;
    report.ready = status.ready;
    report.draining = status.draining;
    report.slots_total = status.slots_total;
    report.slots_free = std::min(status.slots_free, status.slots_total);
    report.engine = status.engine;
    report.served_name = status.served_name;
    report.models_available = status.models_available;
    report.vram_total_bytes = status.vram_total_bytes;
    report.vram_free_bytes = status.vram_free_bytes.value_or(0);
    return report;
}

// What a node of the earlier wire format would say of itself, had it been asked in its day.
api::NodeStatusBody body_of_earlier(const NodeId& node, const std::vector<api::PoolStatus>& pools) {
    api::NodeStatusBody body;
    body.node_id = node;
    body.machine_id = MachineId(node.str());
    for (const api::PoolStatus& pool : pools) {
        body.pools.push_back(report_of(pool));
    }
    return body;
}

}  // namespace

NodePoller::NodePoller(PollPlan plan, std::uint64_t seed, Parts parts, Logger log)
    : parts_(parts),
      log_(std::move(log)),
      planner_(plan, seed),
      alarm_(parts.clock, parts.tasks.executor()) {
    parts_.registry.on_change([this](const registry::NodeChange& change) { hear(change); });
}

void NodePoller::start() {
    parts_.tasks.spawn(run());
}

void NodePoller::set_interval(Duration interval) {
    planner_.set_interval(interval, parts_.clock.now());
    alarm_.ring();
}

void NodePoller::hear(const registry::NodeChange& change) {
    if (change.kind == Kind::registered) {
        const auto target = parts_.registry.unpublished().find_poll_target(change.node);
        if (target && !target->is_static) {
            planner_.add(key_of(change.node), parts_.clock.now());
            alarm_.ring();
        }
    } else if (change.kind == Kind::removed) {
        planner_.remove(key_of(change.node));
        failures_.erase(change.node);
    } else if (change.kind == Kind::pool_removed) {
        parts_.probe.pool_removed({change.node, change.pool});
    }
}

void NodePoller::add_static(const std::string& url, bool answered) {
    planner_.add({true, url}, parts_.clock.now(), !answered);
    alarm_.ring();
}

void NodePoller::remove_static(const std::string& url) {
    planner_.remove({true, url});
}

void NodePoller::ask_now(const NodeId& node) {
    const StaticNode* const by_url = parts_.statics.find(node);
    planner_.hurry(
        by_url == nullptr ? key_of(node) : PollKey{true, StaticNodes::url_of(by_url->address)},
        parts_.clock.now()
    );
    alarm_.ring();
}

Task<void> NodePoller::run() {
    for (;;) {
        for (PollKey& key : planner_.take_due(parts_.clock.now())) {
            parts_.tasks.spawn(poll(std::move(key)));
        }
        wakes_at_ = next_pass();
        if (!co_await alarm_.wait_until(wakes_at_)) {
            co_return;
        }
    }
}

Instant NodePoller::next_pass() const {
    const auto due = planner_.next_due();
    const Instant soonest = parts_.clock.now() + planner_.interval() / kTogetherPart;
    return due ? std::max(*due, soonest) : Instant::max();
}

// The end of a poll may make room for one that is due.
void NodePoller::wake_for_earlier() {
    if (next_pass() < wakes_at_) {
        alarm_.ring();
    }
}

Task<void> NodePoller::poll(PollKey key) {
    bool well = false;
    if (key.is_url) {
        well = co_await poll_static(key.name);
    } else {
        well = co_await poll_registered(NodeId(key.name));
    }
    if (!parts_.tasks.cancelled()) {
        planner_.finished(key, well, parts_.clock.now());
        wake_for_earlier();
    }
}

Task<bool> NodePoller::poll_registered(NodeId node) {
    const registry::NodeTable& table = parts_.registry.unpublished();
    const auto target = table.find_poll_target(node);
    if (!target || target->is_static) {
        co_return true;  // its URL is polled
    }
    const Instant since = parts_.clock.now();
    std::vector<PoolId> pools = table.pools_of(node);
    const StatusAnswer answer = co_await parts_.source.ask(target->endpoint, pools);
    if (parts_.tasks.cancelled() || !table.find_poll_target(node)) {
        co_return false;
    }
    const bool well = take(node, target->endpoint, answer);
    count(node, pools, answer, since);
    co_return well;
}

// Says whether the node is well.
bool NodePoller::take(
    const NodeId& node, const view::Endpoint& endpoint, const StatusAnswer& answer
) {
    if (answer.outcome != Outcome::success) {
        failed(node, endpoint, answer.reason);
        return false;
    }
    failures_.erase(node);
    const Reachability judged = judge_answer(node, endpoint, answer);
    if (!judged.reachable) {
        parts_.registry.address_failed(node, endpoint, judged.reason);
        return false;
    }
    if (answer.body) {
        // A daemon that has started anew registers by itself; until then it says nothing here.
        const auto taken =
            parts_.registry.polled(*answer.body, registry::PollOrigin::registered, endpoint);
        log_.debug("a node was polled", {{"node", node}, {"taken", taken ? "true" : "false"}});
    }
    for (const api::PoolStatus& pool : answer.pools) {
        parts_.registry.pool_answered({node, pool.pool_id}, pool);
    }
    parts_.registry.address_answered(node, endpoint);
    return true;
}

void NodePoller::failed(
    const NodeId& node, const view::Endpoint& endpoint, const std::string& reason
) {
    const std::size_t failures = ++failures_[node];
    const auto status = parts_.registry.unpublished().find_status(node);
    const bool silent = status == NodeStatus::offline || status == NodeStatus::registering;
    log_.debug("a poll failed", {{"node", node}, {"reason", reason}});
    if (silent || failures >= kFailuresUntilUnreachable) {
        parts_.registry.address_silent(node, endpoint, reason);
    }
}

// The pools that are known now: those that were and those that the answer brought.
void NodePoller::count(
    const NodeId& node, const std::vector<PoolId>& pools, const StatusAnswer& answer, Instant since
) {
    const Duration took = parts_.clock.now() - since;
    const bool all = answer.outcome == Outcome::success && answer.body.has_value();
    for (const PoolId& pool : parts_.registry.unpublished().pools_of(node)) {
        const bool asked = std::ranges::find(pools, pool) != pools.end();
        const bool told =
            std::ranges::find(answer.pools, pool, &api::PoolStatus::pool_id) != answer.pools.end();
        if (!all && !asked) {
            continue;
        }
        const Outcome outcome = all || told                          ? Outcome::success
                                : answer.outcome == Outcome::success ? Outcome::error
                                                                     : answer.outcome;
        parts_.probe.polled({node, pool}, to_string(outcome), took);
    }
}

std::vector<PoolId> NodePoller::pools_to_ask(const std::vector<PoolId>& known) {
    return known.empty() ? std::vector{PoolId(std::string(kEarlierPool))} : known;
}

Task<bool> NodePoller::poll_static(std::string url) {
    const StaticNode* node = parts_.statics.find(url);
    if (node == nullptr) {
        co_return false;
    }
    const view::Endpoint endpoint = endpoint_of(node->address);
    const Instant since = parts_.clock.now();
    const std::vector<PoolId> known = parts_.registry.unpublished().pools_of(node->id);
    std::vector<PoolId> pools = pools_to_ask(known);
    const StatusAnswer answer = co_await parts_.source.ask(endpoint, pools);
    node = parts_.statics.find(url);
    if (parts_.tasks.cancelled() || node == nullptr) {
        co_return false;
    }
    if (answer.outcome != Outcome::success) {
        failed(node->id, endpoint, answer.reason);
        count(node->id, known, answer, since);
        co_return false;
    }
    if (const auto taken = take_static(url, answer); !taken) {
        failed(node->id, endpoint, taken.error().message);
        co_return false;
    }
    count(node->id, known, answer, since);
    co_return true;
}

Result<void> NodePoller::take_static(const std::string& url, const StatusAnswer& answer) {
    const StaticNode& node = *parts_.statics.find(url);
    if (!answer.body && answer.pools.empty()) {
        return fail(
            Errc::node_unavailable,
            fmt::format(
                "url: {} tells neither GET /v2/node nor GET /pools/{}/status: it is no node",
                url,
                kEarlierPool
            )
        );
    }
    const NodeId before = node.id;
    const view::Endpoint endpoint = endpoint_of(node.address);
    const api::NodeStatusBody body = answer.body.value_or(body_of_earlier(before, answer.pools));
    const StaticNode* const same_name = parts_.statics.find(body.node_id);
    if (same_name != nullptr && same_name != &node) {
        return fail(
            Errc::conflict,
            fmt::format(
                "node_id '{}' answers at {} too",
                body.node_id.str(),
                StaticNodes::url_of(same_name->address)
            )
        );
    }
    auto taken = parts_.registry.polled(body, registry::PollOrigin::static_node, endpoint);
    if (!taken) {
        return taken;
    }
    failures_.erase(body.node_id);
    planner_.remove(key_of(body.node_id));
    if (before != body.node_id) {
        parts_.statics.named(url, body.node_id);
        failures_.erase(before);
        parts_.registry.release_static(before, "it answers as " + body.node_id.str());
    }
    return {};
}

}  // namespace orch::control::fleet
