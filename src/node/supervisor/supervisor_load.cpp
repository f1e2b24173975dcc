#include "base/saturating.hpp"
#include "node/supervisor/supervisor.hpp"

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

// Pools that are loaded and drained when somebody asks for it, and the memory they take.
namespace orch::node::supervisor {
namespace {

using lifecycle::ReplicaState;

bool is_coming_up(ReplicaState state) {
    return state == ReplicaState::starting || state == ReplicaState::loading;
}

bool has_come_up(ReplicaState state) {
    return state == ReplicaState::ready || state == ReplicaState::draining;
}

// A start would make a process for it now.
bool needs_process(const ReplicaRunner& runner) {
    const ReplicaState state = runner.status().state;
    return !runner.watched() &&
           (state == ReplicaState::stopped || state == ReplicaState::backing_off ||
            state == ReplicaState::broken);
}

std::unexpected<Error> unknown_pool(const PoolId& pool) {
    return fail(Errc::not_found, fmt::format("pool {}: this node has none of that id", pool.str()));
}

std::unexpected<Error> not_now() {
    return fail(Errc::pool_unready, "the node is starting or stopping");
}

}  // namespace

Task<Result<void>> Supervisor::preload(PoolId pool) {
    co_await asio::this_coro::throw_if_cancelled(false);
    auto allowed = check_preload(pool);
    if (!allowed) {
        co_return allowed;
    }
    const bool drained = table_.snapshot()->find(pool)->draining;
    if (std::ranges::any_of(runners_of(pool), [](auto* r) { return needs_process(*r); })) {
        allowed = co_await measure_model(pool);
        // From here to the start nothing is waited for: what fits now is not given away twice.
        if (allowed) {
            allowed = check_after_measuring(pool, drained);
        }
        if (!allowed) {
            log_.info(
                "a pool was not loaded", {{"pool", pool}, {"reason", allowed.error().message}}
            );
            publish();
            co_return allowed;
        }
    }
    start_pool(pool);
    co_return allowed;
}

// Whether a pool is there, and free to be changed.
Result<void> Supervisor::check_request(const PoolId& pool) {
    if (table_.snapshot()->find(pool) == nullptr) {
        return unknown_pool(pool);
    }
    if (at_rest_ || beginning_) {
        return not_now();
    }
    if (reloading_.contains(pool)) {
        return fail(Errc::conflict, fmt::format("pool '{}' is being reloaded", pool.str()));
    }
    return {};
}

Result<void> Supervisor::check_preload(const PoolId& pool) {
    auto allowed = check_request(pool);
    if (allowed && runners_of(pool).empty()) {
        const std::string why = table_.snapshot()->find(pool)->last_error();
        allowed = fail(
            Errc::pool_unavailable, fmt::format("pool '{}' cannot be started: {}", pool.str(), why)
        );
    }
    return allowed;
}

// `drained`: whether the pool was when the preload was asked for.
Result<void> Supervisor::check_after_measuring(const PoolId& pool, bool drained) {
    if (auto allowed = check_preload(pool); !allowed) {
        return allowed;
    }
    const auto view = table_.snapshot()->find(pool);
    if (view->draining && !drained) {
        return fail(Errc::pool_unready, fmt::format("pool '{}' was drained meanwhile", pool.str()));
    }
    const auto starts = std::ranges::count_if(runners_of(pool), [](const ReplicaRunner* runner) {
        return needs_process(*runner);
    });
    const VramClaim wanted{
        pool,
        view->spec->devices,
        saturating_multiply(view->replica_vram, static_cast<std::uint64_t>(starts))
    };
    return check_room(wanted, gpus_, loading_claims());
}

// Of engines whose memory the GPUs' figures do not show yet, or not all of it.
std::vector<VramClaim> Supervisor::loading_claims() {
    std::vector<VramClaim> claims;
    for (const auto& pool : table_.snapshot()->pools) {
        std::uint64_t loads = 0;
        for (const ReplicaRunner* const runner : runners_of(pool->spec->id)) {
            const Key key(pool->spec->id, runner->replica());
            const ReplicaState state = runner->status().state;
            const bool unseen = has_come_up(state) && loads_.contains(key);
            loads += !runner->watched() && (is_coming_up(state) || unseen) ? 1 : 0;
        }
        if (loads > 0) {
            claims.push_back(
                {pool->spec->id, pool->spec->devices, saturating_multiply(pool->replica_vram, loads)
                }
            );
        }
    }
    return claims;
}

void Supervisor::note_loads() {
    for (const auto& [key, runner] : runners_) {
        if (!runner->watched() && is_coming_up(runner->status().state)) {
            loads_.insert(key);
        }
    }
}

void Supervisor::set_gpus(std::vector<inventory::Gpu> gpus, Instant looked_at) {
    gpus_ = std::move(gpus);
    services_.gpus.clear();
    for (const inventory::Gpu& gpu : gpus_) {
        services_.gpus.push_back({gpu.index, gpu.uuid});
    }
    std::erase_if(loads_, [&](const Key& key) {
        const lifecycle::EngineStatus& status = runners_.at(key)->status();
        const bool shown = !status.ready_since || *status.ready_since <= looked_at;
        return shown && !is_coming_up(status.state);
    });
    for (const auto& [pool, model] : models_) {
        estimate_vram(pool);
    }
    if (!models_.empty()) {
        publish();
    }
}

// The models of all pools that this node starts, those that have been started first.
Task<void> Supervisor::measure_models() {
    const auto pools = table_.snapshot();
    for (const bool on_demand : {false, true}) {
        for (const auto& pool : pools->pools) {
            const PoolId id = pool->spec->id;
            const bool ours = !at_rest_ && !pool->spec->external();
            if (ours && pool->spec->on_demand == on_demand) {
                const auto measured = co_await measure_model(id);
                if (!measured) {
                    log_.debug(
                        "a model cannot be looked at",
                        {{"pool", id}, {"reason", measured.error().message}}
                    );
                }
            }
        }
    }
}

Task<Result<void>> Supervisor::measure_model(PoolId pool) {
    const auto spec = table_.snapshot()->find(pool)->spec;
    auto model = co_await launcher_.look_at_model(*spec);
    if (table_.snapshot()->find(pool)->spec->model != spec->model) {
        co_return Result<void>();  // a reload has brought another one, and looked at it
    }
    if (!model) {
        models_.erase(pool);
        table_.set_replica_vram(pool, 0);
        co_return std::unexpected(std::move(model.error()));
    }
    models_[pool] = std::move(*model);
    estimate_vram(pool);
    co_return Result<void>();
}

void Supervisor::estimate_vram(const PoolId& pool) {
    const auto view = table_.snapshot()->find(pool);
    table_.set_replica_vram(pool, replica_vram_need(*view->spec, models_.at(pool), gpus_));
}

void Supervisor::start_pool(const PoolId& pool) {
    drains_.erase(pool);
    table_.set_draining(pool, false);
    for (ReplicaRunner* const runner : runners_of(pool)) {
        runner->start();
    }
    publish();
}

Result<void> Supervisor::drain(const PoolId& pool, Duration limit) {
    if (auto allowed = check_request(pool); !allowed) {
        return allowed;
    }
    begin_drain(pool, DrainReason::request);
    table_.set_draining(pool, true);
    const Instant until = parts_.clock.now() + limit;
    for (ReplicaRunner* const runner : runners_of(pool)) {
        runner->stop(until);
    }
    publish();
    notice_drained();
    return {};
}

// Where nothing runs there is nothing to wait for. Engines that are kept do not end.
void Supervisor::begin_drain(const PoolId& pool, DrainReason reason) {
    if (drains_.contains(pool) || table_.snapshot()->find(pool)->draining) {
        return;
    }
    parts_.probe.drain_began(pool, reason);
    const bool kept = reason == DrainReason::shutdown && config_.keep_engines;
    if (!kept && !all_at_rest(pool)) {
        drains_[pool] = parts_.clock.now();
    }
}

void Supervisor::notice_drained() {
    std::erase_if(drains_, [this](const auto& drain) {
        const auto& [pool, since] = drain;
        if (!all_at_rest(pool)) {
            return false;
        }
        parts_.probe.drained(pool, parts_.clock.now() - since);
        return true;
    });
}

bool Supervisor::all_at_rest(const PoolId& pool) const {
    return std::ranges::all_of(runners_of(pool), [](const ReplicaRunner* runner) {
        return runner->at_rest();
    });
}

std::vector<ReplicaRunner*> Supervisor::runners_of(const PoolId& pool) const {
    std::vector<ReplicaRunner*> found;
    for (auto it = runners_.lower_bound({pool, ReplicaId()});
         it != runners_.end() && it->first.first == pool;
         ++it) {
        found.push_back(it->second.get());
    }
    return found;
}

}  // namespace orch::node::supervisor
