#pragma once

#include "api/node_views.hpp"
#include "async/async_clock.hpp"
#include "async/task_group.hpp"
#include "base/log.hpp"
#include "control/fleet/load_probe.hpp"
#include "control/fleet/node_client.hpp"
#include "control/fleet/registry_backend.hpp"

#include <functional>
#include <map>
#include <string>

namespace orch::control::fleet {

// What is asked of nodes about their pools: by operators, and for requests that wait for a pool
// that is not loaded. What a node answers is in the registry before anybody is told. Control
// thread.
class PoolBackend {
public:
    // A load that was accepted shows in what the node says of the pool. If it does not, the node is
    // asked again after so long.
    static constexpr Duration kShowsWithin = std::chrono::seconds(10);

    // Hears why a pool that requests wait for is not loaded.
    using OnRefused = std::function<void(const PoolKey&, std::string why)>;

    struct Parts {
        async::AsyncClock& clock;
        async::TaskGroup& tasks;
        NodePools& nodes;
        RegistryBackend& registry;
        LoadProbe& probe;
    };

    PoolBackend(Parts parts, OnRefused on_refused, Logger log);

    // Requests wait for this pool. Nothing happens while its node is being asked, or has accepted a
    // moment ago.
    void load(const PoolKey& pool);

    // The pool's engines start; no change where they run.
    // Errors: not_found; node_unavailable when its node is not Online; the node's own.
    Task<Result<api::PoolInfo>> preload(PoolKey pool);

    // Nothing new for the pool; its engines end when they are idle, at the latest after `limit`.
    // It stays so until it is preloaded. Errors: as preload().
    Task<Result<api::PoolInfo>> drain(PoolKey pool, Duration limit);

    // Its engines go over to another model; the old one serves again if that fails, or if its work
    // does not end in time. Errors: as preload().
    Task<Result<api::PoolInfo>> reload(PoolKey pool, api::PoolReloadRequest message);

private:
    Task<void> run_load(PoolKey pool);
    Result<std::string> address_of(const PoolKey& pool);
    Result<api::PoolInfo> take(const PoolKey& pool, const Result<api::PoolStatus>& answer);

    Parts parts_;
    OnRefused on_refused_;
    Logger log_;
    std::map<PoolKey, Instant> not_before_;  // loads; max() while the node is being asked
};

}  // namespace orch::control::fleet
