#include "base/saturating.hpp"
#include "node/supervisor/supervisor.hpp"

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

// Pools that go over to another model, and back when that comes to nothing.
namespace orch::node::supervisor {
namespace {

using lifecycle::CrashReason;
using lifecycle::EngineStatus;
using lifecycle::ReplicaState;

// The pause before the first look lets the edges see that the pool drains.
constexpr Duration kLook = std::chrono::milliseconds(50);

// A start that came to nothing, even if the next attempt has begun. A port that was lost costs a
// restart at once and is no failure until it happens again.
bool has_failed(const EngineStatus& status) {
    return status.state == ReplicaState::backing_off || status.state == ReplicaState::broken ||
           (status.crash && *status.crash != CrashReason::port_lost);
}

}  // namespace

Task<Result<void>> Supervisor::reload(PoolId pool, std::string model, Duration limit) {
    co_await asio::this_coro::throw_if_cancelled(false);
    auto allowed = check_reload(pool);
    if (!allowed) {
        co_return allowed;
    }
    lifecycle::PoolSpec wanted = *table_.snapshot()->find(pool)->spec;
    wanted.model = model;
    const auto facts = co_await launcher_.look_at_model(wanted);
    if (!facts) {
        co_return std::unexpected(facts.error());
    }
    // From here to the mark nothing is waited for: of two reloads at once one begins.
    allowed = check_reload(pool);
    if (allowed) {
        allowed = check_room_of_reload(wanted, *facts);
    }
    if (allowed) {
        begin_reload(pool, std::move(model), limit);
    }
    co_return allowed;
}

Result<void> Supervisor::check_reload(const PoolId& pool) {
    const auto view = table_.snapshot()->find(pool);
    const bool external =
        view != nullptr && (view->spec->external() ||
                            std::ranges::any_of(view->replicas, &lifecycle::ReplicaView::watched));
    if (external) {
        return fail(
            Errc::conflict,
            fmt::format(
                "pool '{}': somebody else runs its engine, and chooses its model", pool.str()
            )
        );
    }
    return check_preload(pool);
}

// What runs makes room for what comes, and how much is only seen then.
Result<void> Supervisor::check_room_of_reload(
    const lifecycle::PoolSpec& wanted, const ModelFacts& facts
) {
    if (!table_.snapshot()->find(wanted.id)->at_rest()) {
        return {};
    }
    const Bytes need = replica_vram_need(wanted, facts, gpus_);
    const VramClaim claim{wanted.id, wanted.devices, saturating_multiply(need, wanted.replicas)};
    return check_room(claim, gpus_, loading_claims());
}

void Supervisor::begin_reload(const PoolId& pool, std::string model, Duration limit) {
    const auto view = table_.snapshot()->find(pool);
    Reload reload{
        .pool = pool,
        .new_model = std::move(model),
        .old_model = view->spec->model,
        .since = parts_.clock.now(),
        .limit = limit,
        .at_rest = view->at_rest(),
        .draining = view->draining
    };
    log_.info(
        "a pool goes over to another model",
        {{"pool", pool}, {"model", reload.new_model}, {"old_model", reload.old_model}}
    );
    reloading_.insert(pool);
    begin_drain(pool, DrainReason::reload);
    table_.set_draining(pool, true);
    publish();
    parts_.tasks.spawn(run_reload(std::move(reload)));
}

Task<void> Supervisor::run_reload(Reload reload) {
    co_await asio::this_coro::throw_if_cancelled(false);
    const std::optional<ReloadFailure> failure = co_await carry_out(reload);
    reloading_.erase(reload.pool);
    if (failure) {
        parts_.probe.reload_failed(reload.pool, *failure);
        log_.warn(
            "a pool did not go over to another model",
            {{"pool", reload.pool},
             {"model", reload.new_model},
             {"old_model", reload.old_model},
             {"reason", to_string(*failure)}}
        );
        co_return;
    }
    const Duration took = parts_.clock.now() - reload.since;
    parts_.probe.reloaded(reload.pool, took);
    log_.info(
        "a pool has gone over to another model",
        {{"pool", reload.pool}, {"model", reload.new_model}, {"took_ms", to_ms(took)}}
    );
}

Task<std::optional<ReloadFailure>> Supervisor::carry_out(Reload reload) {
    const Instant drain_until = reload.since + reload.limit;
    const std::function<bool()> idle_or_late = [&] {
        return leases_of(reload.pool) == 0 || parts_.clock.now() >= drain_until;
    };
    bool goes_on = co_await look_until(idle_or_late);
    if (!goes_on) {
        co_return ReloadFailure::stopped;
    }
    if (leases_of(reload.pool) > 0) {
        call_off(reload);
        co_return ReloadFailure::drain_timeout;
    }
    goes_on = co_await change_model(reload.pool, reload.new_model, drain_until);
    if (!goes_on) {
        co_return ReloadFailure::stopped;
    }
    start_pool(reload.pool);
    const std::function<bool()> decided = [&] {
        return serves(reload.pool) || start_failed(reload.pool);
    };
    goes_on = co_await look_until(decided);
    if (!goes_on) {
        co_return ReloadFailure::stopped;
    }
    if (serves(reload.pool)) {
        co_return std::nullopt;
    }
    goes_on = co_await go_back(reload);
    co_return goes_on ? ReloadFailure::start_failed : ReloadFailure::stopped;
}

// Its work has not ended in time: it goes on as before, and nothing was ended.
void Supervisor::call_off(const Reload& reload) {
    if (!reload.draining) {
        drains_.erase(reload.pool);
        table_.set_draining(reload.pool, false);
    }
    publish();
}

// Replicas that serve the new model already may have work, which is given its time too.
Task<bool> Supervisor::go_back(Reload reload) {
    log_.warn(
        "a model did not start: its pool goes back to the one before",
        {{"pool", reload.pool},
         {"model", reload.new_model},
         {"old_model", reload.old_model},
         {"last_error", table_.snapshot()->find(reload.pool)->last_error()}}
    );
    const Instant drain_until = parts_.clock.now() + reload.limit;
    const bool goes_on = co_await change_model(reload.pool, reload.old_model, drain_until);
    if (!goes_on) {
        co_return false;
    }
    if (reload.at_rest) {
        table_.set_draining(reload.pool, reload.draining);
        publish();
    } else {
        start_pool(reload.pool);
    }
    co_return true;
}

// Ends the pool's engines, the idle at once, and has the next ones load `model`. The pool drains
// until it is started. False when the node stops meanwhile.
Task<bool> Supervisor::change_model(PoolId pool, std::string model, Instant drain_until) {
    table_.set_draining(pool, true);
    for (ReplicaRunner* const runner : engines_of(pool)) {
        runner->stop(drain_until);
    }
    publish();
    const std::function<bool()> rests = [&] {
        return std::ranges::all_of(engines_of(pool), &ReplicaRunner::at_rest);
    };
    const bool goes_on = co_await look_until(rests);
    if (!goes_on) {
        co_return false;
    }
    lifecycle::PoolSpec spec = *table_.snapshot()->find(pool)->spec;
    spec.model = model;
    table_.put_pool(std::move(spec));
    for (ReplicaRunner* const runner : engines_of(pool)) {
        runner->change_model(model);
    }
    // One that cannot be looked at is the start's to complain about.
    const auto measured = co_await measure_model(pool);
    static_cast<void>(measured);
    co_return !at_rest_;
}

// False when the node stops, or the task is cancelled, before it is reached.
Task<bool> Supervisor::look_until(std::function<bool()> reached) {
    bool awake = co_await parts_.clock.sleep_for(kLook);
    while (awake && !at_rest_ && !reached()) {
        awake = co_await parts_.clock.sleep_for(kLook);
    }
    co_return awake && !at_rest_;
}

std::uint32_t Supervisor::leases_of(const PoolId& pool) {
    return table_.snapshot()->find(pool)->active_leases();
}

bool Supervisor::serves(const PoolId& pool) const {
    return std::ranges::all_of(engines_of(pool), [](const ReplicaRunner* runner) {
        return runner->status().state == ReplicaState::ready;
    });
}

bool Supervisor::start_failed(const PoolId& pool) const {
    return std::ranges::any_of(engines_of(pool), [](const ReplicaRunner* runner) {
        return has_failed(runner->status());
    });
}

// Without those that somebody handed over while the pool was being reloaded.
std::vector<ReplicaRunner*> Supervisor::engines_of(const PoolId& pool) const {
    std::vector<ReplicaRunner*> found = runners_of(pool);
    std::erase_if(found, [](const ReplicaRunner* runner) { return runner->watched(); });
    return found;
}

}  // namespace orch::node::supervisor
