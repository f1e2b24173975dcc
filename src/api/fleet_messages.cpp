#include "api/fleet_messages.hpp"

#include "api/checks.hpp"
#include "api/http_address.hpp"

#include <algorithm>
#include <array>

namespace orch::api {
namespace {

// States of a replica in which a process runs, in the node's words.
constexpr std::array<std::string_view, 4> kLive{"loading", "ready", "draining", "stopping"};

bool is_live(const ReplicaReport& replica) {
    return std::ranges::find(kLive, replica.state) != kLive.end();
}

constexpr std::uint64_t kHour = 3'600'000;
constexpr std::size_t kLongestRef = 4096;  // bytes; of a path

// A body that is left out says nothing.
template <class Message>
Result<Message> read_drain(std::string_view text) {
    auto message = read_message<Message>(text.empty() ? "{}" : text, [](const auto&) {
        return Result<void>();
    });
    if (message && message->deadline_ms > kHour) {
        return fail(Errc::invalid_params, "deadline_ms: must be at most 3600000");
    }
    return message;
}

}  // namespace

PoolHealth make_pool_health(const PoolInfo& pool, bool online, std::uint64_t queue_depth) {
    PoolHealth health;
    health.node_id = pool.node_id;
    health.pool_id = pool.pool_id;
    health.ready = online && pool.ready;
    health.live = online && (pool.ready || std::ranges::any_of(pool.replicas, is_live));
    health.draining = pool.draining;
    health.metrics = {
        .queue_depth = queue_depth,
        .claimed = pool.claimed,
        .active_leases = pool.active_leases.value_or(0),
        .slots_total = pool.slots_total,
        .slots_free = pool.slots_free,
        .vram_free_bytes = pool.vram_free_bytes,
    };
    health.last_error = pool.last_error;
    return health;
}

std::uint64_t work_in_progress(const NodeInfo& node) {
    std::uint64_t slots = 0;
    for (const PoolInfo& pool : node.pools) {
        slots += std::max(pool.claimed, pool.active_leases.value_or(0));
    }
    return slots;
}

template <>
Result<StaticNodeRequest> from_json(std::string_view text) {
    auto message = read_message<StaticNodeRequest>(text, [](const json::bj::value& tree) {
        return require_keys(tree, "", {"url"});
    });
    if (!message) {
        return message;
    }
    if (const auto address = parse_http_address(message->url, "url"); !address) {
        return std::unexpected(address.error());
    }
    return message;
}

template <>
Result<PoolReloadRequest> from_json(std::string_view text) {
    auto message = read_message<PoolReloadRequest>(text, [](const json::bj::value& tree) {
        return require_keys(tree, "", {"new_model_ref"});
    });
    if (message && message->drain_deadline_ms > kHour) {
        return fail(Errc::invalid_params, "drain_deadline_ms: must be at most 3600000");
    }
    if (message &&
        (message->new_model_ref.empty() || message->new_model_ref.size() > kLongestRef)) {
        return fail(Errc::invalid_params, "new_model_ref: must be 1 to 4096 bytes");
    }
    return message;
}

std::string to_json(const StaticNodeRequest& message) {
    return json::serialize(json::write(message, json::Nulls::write));
}

template <>
Result<DrainRequest> from_json(std::string_view text) {
    return read_drain<DrainRequest>(text);
}

template <>
Result<PoolDrainRequest> from_json(std::string_view text) {
    return read_drain<PoolDrainRequest>(text);
}

std::string to_json(const DrainRequest& message) {
    return json::serialize(json::write(message, json::Nulls::write));
}

std::string to_json(const PoolDrainRequest& message) {
    return json::serialize(json::write(message, json::Nulls::write));
}

std::string to_json(const PoolReloadRequest& message) {
    return json::serialize(json::write(message, json::Nulls::write));
}

std::string to_json(const PoolHealth& message) {
    return json::serialize(json::write(message, json::Nulls::write));
}

}  // namespace orch::api
