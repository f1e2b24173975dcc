#include "control/fleet/pool_backend.hpp"

#include <fmt/format.h>

#include <utility>

namespace orch::control::fleet {

PoolBackend::PoolBackend(Parts parts, OnRefused on_refused, Logger log)
    : parts_(parts), on_refused_(std::move(on_refused)), log_(std::move(log)) {}

void PoolBackend::load(const PoolKey& pool) {
    const Instant now = parts_.clock.now();
    std::erase_if(not_before_, [now](const auto& entry) { return entry.second <= now; });
    if (not_before_.try_emplace(pool, Instant::max()).second) {
        parts_.tasks.spawn(run_load(pool));
    }
}

Task<void> PoolBackend::run_load(PoolKey pool) {
    const auto loaded = co_await preload(pool);
    not_before_[pool] = parts_.clock.now() + kShowsWithin;
    if (loaded) {
        parts_.probe.asked(pool, "accepted");
        log_.info(
            "a pool is loaded because requests wait for it",
            {{"node_id", pool.node}, {"pool", pool.pool}}
        );
        co_return;
    }
    const Error& why = loaded.error();
    parts_.probe.asked(pool, why.code == Errc::node_unavailable ? "error" : "refused");
    log_.warn(
        "a pool that requests wait for is not loaded",
        {{"node_id", pool.node}, {"pool", pool.pool}, {"reason", why.message}}
    );
    on_refused_(pool, why.message);
}

Task<Result<api::PoolInfo>> PoolBackend::preload(PoolKey pool) {
    const auto address = address_of(pool);
    if (!address) {
        co_return std::unexpected(address.error());
    }
    const auto answer = co_await parts_.nodes.preload(*address, pool.pool);
    co_return take(pool, answer);
}

Task<Result<api::PoolInfo>> PoolBackend::drain(PoolKey pool, Duration limit) {
    const auto address = address_of(pool);
    if (!address) {
        co_return std::unexpected(address.error());
    }
    const auto answer = co_await parts_.nodes.drain(*address, pool.pool, limit);
    co_return take(pool, answer);
}

Task<Result<api::PoolInfo>> PoolBackend::reload(PoolKey pool, api::PoolReloadRequest message) {
    const auto address = address_of(pool);
    if (!address) {
        co_return std::unexpected(address.error());
    }
    const auto answer = co_await parts_.nodes.reload(*address, pool.pool, std::move(message));
    co_return take(pool, answer);
}

Result<std::string> PoolBackend::address_of(const PoolKey& pool) {
    const registry::NodeTable& table = parts_.registry.unpublished();
    if (const auto known = table.get_pool(pool); !known) {
        return std::unexpected(known.error());
    }
    const auto node = table.get(pool.node, parts_.registry.now());
    if (!node) {
        return std::unexpected(node.error());
    }
    if (!node->online) {
        return fail(
            Errc::node_unavailable,
            fmt::format("node '{}' is {}", pool.node.str(), to_string(node->status))
        );
    }
    return node->address;
}

Result<api::PoolInfo> PoolBackend::take(
    const PoolKey& pool, const Result<api::PoolStatus>& answer
) {
    if (!answer) {
        return std::unexpected(answer.error());
    }
    parts_.registry.pool_answered(pool, *answer);
    return parts_.registry.table().get_pool(pool);
}

}  // namespace orch::control::fleet
