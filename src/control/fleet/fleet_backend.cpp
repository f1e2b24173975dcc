#include "control/fleet/fleet_backend.hpp"

#include "api/fleet_messages.hpp"
#include "api/http_address.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace orch::control::fleet {
namespace {

constexpr Duration kDrainLook = std::chrono::milliseconds(100);

}  // namespace

FleetBackend::FleetBackend(std::string state_path, Parts parts, Logger log)
    : state_path_(std::move(state_path)), parts_(parts), log_(std::move(log)) {}

void FleetBackend::restore(
    const FleetState& state, const std::vector<api::HttpAddress>& configured
) {
    parts_.registry.restore_cordons(state.cordoned);
    parts_.registry.restore_approvals(state.approved);
    for (const api::HttpAddress& address : configured) {
        parts_.statics.add(address, true);
    }
    for (const std::string& url : state.static_nodes) {
        if (const auto address = api::parse_http_address(url, "static_nodes")) {
            parts_.statics.add(*address, false);
        }
    }
    for (const std::string& url : parts_.statics.urls()) {
        const StaticNode& node = *parts_.statics.find(url);
        parts_.registry.expect_static(node.id, endpoint_of(node.address));
        parts_.poller.add_static(url, false);
    }
}

Result<api::NodeInfo> FleetBackend::show(const NodeId& node) {
    return parts_.registry.table().get(node, parts_.registry.now());
}

Task<Result<AddedNode>> FleetBackend::add_node(std::string url) {
    const auto address = api::parse_http_address(url, "url");
    if (!address) {
        co_return std::unexpected(address.error());
    }
    const std::string key = StaticNodes::url_of(*address);
    if (const StaticNode* const known = parts_.statics.find(key)) {
        auto node = show(known->id);
        if (!node) {
            co_return std::unexpected(node.error());
        }
        co_return AddedNode{std::move(*node), false};
    }
    std::vector<PoolId> pools = NodePoller::pools_to_ask({});
    const StatusAnswer answer = co_await parts_.source.ask(endpoint_of(*address), std::move(pools));
    if (answer.outcome != StatusAnswer::Outcome::success) {
        co_return fail(Errc::node_unavailable, "url: " + answer.reason);
    }
    const bool created = parts_.statics.add(*address, false);
    if (auto taken = parts_.poller.take_static(key, answer); !taken) {
        if (created) {
            parts_.statics.remove(key);
        }
        co_return std::unexpected(taken.error());
    }
    const NodeId id = parts_.statics.find(key)->id;
    parts_.poller.add_static(key, true);
    const auto saved = co_await save();
    if (!saved) {
        co_return std::unexpected(saved.error());
    }
    auto node = show(id);
    if (!node) {
        co_return std::unexpected(node.error());
    }
    co_return AddedNode{std::move(*node), created};
}

Task<Result<void>> FleetBackend::remove_node(NodeId node) {
    const StaticNode* const known = parts_.statics.find(node);
    if (known != nullptr && known->from_settings) {
        co_return fail(
            Errc::conflict,
            fmt::format(
                "the node '{}' stands in the settings (POOL_MANAGERD_URL or ORCHD_POOL_MANAGERS): "
                "take {} out there",
                node.str(),
                StaticNodes::url_of(known->address)
            )
        );
    }
    const bool was_static = known != nullptr;
    if (was_static) {
        const std::string url = StaticNodes::url_of(known->address);
        parts_.poller.remove_static(url);
        parts_.statics.remove(url);
    }
    auto gone = parts_.registry.deregister(node);
    if (was_static) {
        co_return co_await save();
    }
    co_return gone;
}

Task<Result<api::NodeInfo>> FleetBackend::set_cordoned(NodeId node, bool cordoned) {
    auto changed = parts_.registry.set_cordoned(node, cordoned);
    co_return co_await saved(std::move(changed));
}

Task<Result<api::NodeInfo>> FleetBackend::approve(NodeId node) {
    auto changed = parts_.registry.approve(node);
    co_return co_await saved(std::move(changed));
}

// What was changed, once it is on the disk.
Task<Result<api::NodeInfo>> FleetBackend::saved(Result<api::NodeInfo> changed) {
    if (changed) {
        const auto written = co_await save();
        if (!written) {
            co_return std::unexpected(written.error());
        }
    }
    co_return changed;
}

Task<Result<api::NodeInfo>> FleetBackend::drain(NodeId node, Duration limit) {
    const Instant end = parts_.clock.now() + limit;
    auto info = co_await set_cordoned(node, true);
    while (info && api::work_in_progress(*info) > 0 && parts_.clock.now() < end) {
        const Instant next = std::min(end, parts_.clock.now() + kDrainLook);
        if (!co_await parts_.clock.sleep_until(next)) {
            break;
        }
        info = show(node);
    }
    co_return info;
}

// What stays said even if this fails: the caller hears of it and may ask again.
Task<Result<void>> FleetBackend::save() {
    FleetState state;
    state.static_nodes = parts_.statics.added_urls();
    const auto& cordoned = parts_.registry.unpublished().cordoned();
    state.cordoned.assign(cordoned.begin(), cordoned.end());
    const auto& approved = parts_.registry.unpublished().approved();
    state.approved.assign(approved.begin(), approved.end());
    const auto work = [path = state_path_, state = std::move(state)] {
        return save_fleet_state(path, state);
    };
    auto saved = co_await parts_.disk.offload(work);
    if (!saved) {
        log_.error("the list of nodes could not be saved", {{"reason", saved.error().message}});
    }
    co_return saved;
}

}  // namespace orch::control::fleet
